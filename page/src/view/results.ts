/** What came out so far: the figures of the designs on the stage, the lesson, and what to ask next. */

import type { Show } from "../app/show.ts";
import type { Headline, Tally } from "../engine/moments.ts";
import { open } from "./dialogs.ts";
import { badge, h } from "./dom.ts";

export interface Results {
  /** The command that runs the same. */
  readonly command: string;
  /** Runs it thirty times. */
  readonly many: () => void;
  /** The next question: its scenario, or the next step of the tour. */
  readonly next: { readonly label: string; readonly go: () => void } | null;
}

const count = (carts: number) => carts.toLocaleString("en-US");

interface Column {
  readonly label: string;
  readonly of: (tally: Tally, headline: Headline) => string;
  /** Left out when it is nothing in all designs. */
  readonly counts?: (tally: Tally) => number;
}

const COLUMNS: readonly Column[] = [
  { label: "carts opened", of: (tally) => count(tally.opened) },
  { label: "still open", of: (tally) => count(tally.open), counts: (tally) => tally.open },
  { label: "intact", of: (tally) => count(tally.intact) },
  { label: "lost", of: (tally) => count(tally.lost) },
  { label: "gone, not noticed yet", of: (tally) => count(tally.gone), counts: (tally) => tally.gone },
  { label: "overcharged", of: (tally) => count(tally.overcharged), counts: (tally) => tally.overcharged },
  { label: "abandoned", of: (tally) => count(tally.abandoned), counts: (tally) => tally.abandoned },
  { label: "unknown", of: (tally) => count(tally.unknown), counts: (tally) => tally.unknown },
  { label: "price", of: (_, { price }) => `${price.value} ${price.label}` },
];

export function openResults(show: Show, results: Results): void {
  const { scenario } = show;
  const worlds = show.runs.map((run) => ({ run, world: run.recording.worldAt(show.t) }));
  const columns = COLUMNS.filter(
    ({ counts }) => !counts || worlds.some(({ world }) => counts(world.tally) > 0),
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "design"),
    ...columns.map(({ label }) => h("th", { scope: "col" }, label)),
  );
  const rows = worlds.map(({ run, world }) => {
    const cells = columns.map((column) => {
      const cell = h("td", {}, column.of(world.tally, world.headline));
      cell.classList.toggle("hot", column.label === "lost" && world.tally.lost > 0);
      return cell;
    });
    return h(
      "tr",
      {},
      h("th.design", { scope: "row" }, badge(run), ` ${run.branch ?? run.design.name}`),
      ...cells,
    );
  });
  const { next, command } = results;
  const on = () => {
    dialog.close();
    next?.go();
  };
  const dialog = open(
    show.isOver ? "What came out" : "So far",
    h(
      "div.end",
      {},
      h(
        "div.scroll",
        { tabindex: 0, role: "group", "aria-label": "Figures" },
        h("table.table", {}, h("thead", {}, head), h("tbody", {}, ...rows)),
      ),
      show.isOver
        ? h("p.lesson", {}, scenario.lesson)
        : h("p.note", {}, "The lesson comes at the end of the run."),
      h("p.note", {}, "All designs, from the command line:"),
      h("pre.plain", { tabindex: 0 }, command),
      h(
        "div.row",
        {},
        next ? h("button.strong", { type: "button", onclick: on }, next.label) : null,
        h("button", { type: "button", onclick: results.many }, "Run it 30 times"),
      ),
    ),
  );
}
