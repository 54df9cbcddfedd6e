/** Menus of designs and of futures. */

import type { Difference, Run, Show } from "../app/show.ts";
import type { ServerRow } from "../engine/moments.ts";
import { openMenu } from "./dialogs.ts";
import { badge, h } from "./dom.ts";

/** Asks what is to be different in the second future: a fault that does not strike, or one that does. */
export function openForkMenu(
  show: Show,
  serversOf: (run: Run) => readonly ServerRow[],
  go: (run: Run, difference: Difference) => void,
): void {
  const choices = show.runs
    .filter(({ branch }) => branch === null)
    .flatMap((run) => {
      const ahead = run.timeline.filter((entry) => !entry.spared && !entry.injected && entry.at > show.t);
      const spared = ahead.map((entry) => ({ name: `not: ${entry.words}`, spare: entry.fault }));
      const up = serversOf(run).filter(({ state }) => state === "up");
      const crashes = up
        .slice(0, 4)
        .map(({ name }) => ({ name: `${name} crashes now`, inject: { crash: name } }));
      const deploy = { name: "a deploy begins now", inject: { deploy: {} } };
      return [...spared, ...crashes, deploy].map((difference) => ({
        label: h("span.row", {}, badge(run), difference.name),
        action: () => go(run, difference),
      }));
    });
  openMenu("One past, two futures: what is different in the second?", choices);
}

/** Asks which design is to be on the stage in the place of another. */
export function openDesignMenu(show: Show, pane: number, go: (designs: readonly number[]) => void): void {
  const shown = show.runs.map(({ design }) => design.number);
  const choices = show.scenario.designs.map((name, index) => ({
    label: h("span.row", {}, badge({ design: { number: index + 1 }, branch: null }), name),
    action: () => go(swapped(shown, pane, index + 1)),
    current: shown[pane] === index + 1,
  }));
  openMenu("Which design?", choices);
}

/** Puts a design into a pane; if another pane had it, that one gets the design of this pane. */
function swapped(shown: readonly number[], pane: number, design: number): readonly number[] {
  const before = shown[pane]!;
  return shown.map((number, index) => (index === pane ? design : number === design ? before : number));
}
