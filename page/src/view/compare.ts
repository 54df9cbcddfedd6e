/** Which designs stand side by side: up to six. */

import { MOST_DESIGNS } from "../app/link.ts";
import type { Show } from "../app/show.ts";
import { open } from "./dialogs.ts";
import { badge, h, say } from "./dom.ts";

export function openCompare(show: Show, go: (designs: readonly number[]) => void): void {
  const shown = new Set(show.runs.map(({ design }) => design.number));
  const boxes = show.scenario.designs.map((name, index) => {
    const number = index + 1;
    const box = h("input", { type: "checkbox", value: number, onchange: () => refresh() });
    box.checked = shown.has(number);
    const label = h("label.check", {}, box, badge({ design: { number }, branch: null }), name);
    return { box, number, label };
  });
  const chosen = () => boxes.filter(({ box }) => box.checked).map(({ number }) => number);
  const play = h("button.strong", {}, "Compare");
  const refresh = () => {
    const { length } = chosen();
    play.disabled = length === 0;
    say(play, length > 1 ? `Compare ${length} designs` : "Show this design");
    for (const { box } of boxes) {
      box.disabled = !box.checked && length >= MOST_DESIGNS;
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    dialog.close();
    go(chosen());
  };
  refresh();
  const dialog = open(
    "Which designs side by side?",
    h(
      "form.end",
      { onsubmit: submit },
      h("p.note", {}, `The same users and the same faults, up to ${MOST_DESIGNS} designs at once.`),
      h("div.menu", {}, ...boxes.map(({ label }) => label)),
      h("div.row", {}, play),
    ),
  );
}
