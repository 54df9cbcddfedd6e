/** What came out: the table of the command line with all designs, its lesson and digest, and what to ask next. */

import { inWords, type Show } from "../app/show.ts";
import type { Report } from "../engine/engine.ts";
import { open } from "./dialogs.ts";
import { badge, h, say } from "./dom.ts";

export interface Results {
  /** The command that runs the same, with what was done by hand. */
  readonly command: string;
  /** Whether something was done by hand. */
  readonly byHand: boolean;
  /** Runs it thirty times. */
  readonly many: () => void;
  readonly copyCommand: () => void;
  readonly copyLink: () => void;
  /** The next question: its scenario, or the next step of the tour. */
  readonly next: { readonly label: string; readonly go: () => void } | null;
}

export function openResults(show: Show, results: Results): void {
  const { next } = results;
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Played" });
  const state = h("p.note", { role: "status" }, "All designs are played to their end …");
  const content = h("div.end", {}, bar, state);
  const button = (label: string, action: () => void, strong = false) =>
    h(strong ? "button.strong" : "button", { type: "button", onclick: action }, label);
  const on = () => {
    dialog.close();
    next?.go();
  };
  const actions = h(
    "div.row",
    {},
    next ? button(next.label, on, true) : null,
    button("Run it 30 times", results.many),
    button("Copy command", results.copyCommand),
    button("Copy link", results.copyLink),
  );
  const dialog = open(show.isOver ? "What came out" : "What will come out", content, actions);
  const isOpen = () => dialog.isConnected;
  show
    .report(
      results.byHand,
      (done) => {
        bar.value = done;
      },
      isOpen,
    )
    .then((report) => {
      if (report) {
        content.replaceChildren(...told(report, results.command));
      }
    })
    .catch((problem) => say(state, inWords(problem)));
}

function told(report: Report, command: string): Node[] {
  const notes = [...report.changes, ...report.timelines].map((text) => h("p.note", {}, text));
  const warnings = report.warnings.map((text) => h("p.warning", {}, text));
  return [
    h("p.note", {}, report.facts),
    ...notes,
    h("div.scroll", { tabindex: 0, role: "group", "aria-label": "Figures" }, table(report)),
    ...report.notes.map((text) => h("p.note", {}, text)),
    ...warnings,
    h("p.lesson", {}, report.lesson),
    h("p.note", {}, "The same from the command line:"),
    h("pre.plain", { tabindex: 0 }, command),
    ...(report.digest
      ? [
          h(
            "p.note",
            {},
            "Digest ",
            h("b", {}, report.digest),
            ": whoever has the same digest saw the same run.",
          ),
        ]
      : []),
  ];
}

function table({ columns, rows }: Report): HTMLElement {
  const heads = columns.map(({ head, words }) => {
    const cell = h("th", { scope: "col" }, head);
    cell.classList.toggle("words", words);
    return cell;
  });
  const body = rows.map(({ number, name, cells }) => {
    const all = cells.map(({ figure, share, loss }, index) => {
      const cell = h("td", {}, figure, share ? h("small", {}, ` ${share}`) : null);
      cell.classList.toggle("hot", loss);
      cell.classList.toggle("words", columns[index]?.words ?? false);
      return cell;
    });
    const mark = badge({ design: { number: Number(number) }, branch: null });
    return h("tr", {}, h("th.design", { scope: "row" }, mark, ` ${name}`), ...all);
  });
  return h(
    "table.table",
    {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "design"), ...heads)),
    h("tbody", {}, ...body),
  );
}
