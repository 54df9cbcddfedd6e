/** What came out at the end: the figures of both designs, the lesson, and what to ask next. */

import type { Show } from "../app/show.ts";
import type { Calls } from "../engine/engine.ts";
import { open } from "./dialogs.ts";
import { h } from "./dom.ts";

export async function openResults(
  show: Show,
  calls: Calls,
  command: string,
  go: (scenario: string) => void,
): Promise<void> {
  const { scenario } = show;
  void calls;
  const rows = show.runs.map((run) => {
    const { headline, tally } = run.recording.worldAt(show.t);
    return h(
      "tr",
      {},
      h("td", {}, `${run.design.number} ${run.design.name}`),
      h("td", {}, tally.opened),
      h("td", {}, headline.lost.value),
      h("td", {}, headline.share.value),
      h("td", {}, headline.price.value),
    );
  });
  const head = h(
    "tr",
    {},
    ...["design", "carts opened", "lost", "share", "price"].map((name) => h("th", { scope: "col" }, name)),
  );
  const next = scenario.next;
  const dialog = open(
    scenario.title,
    h(
      "div.end",
      {},
      h("div.scroll", {}, h("table.table", {}, head, ...rows)),
      h("p.lesson", {}, scenario.lesson),
      h("pre.plain", {}, command),
      h(
        "div.row",
        {},
        next
          ? h(
              "button.strong",
              {
                type: "button",
                onclick: () => {
                  dialog.close();
                  go(next);
                },
              },
              `Next: ${next}`,
            )
          : null,
      ),
    ),
  );
}
