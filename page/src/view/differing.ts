/** The carts that are lost in one of two futures only, by the names of their users. */

import type { Run, Show } from "../app/show.ts";
import type { Loss } from "../run/losses.ts";
import { openList } from "./dialogs.ts";
import { badge, clock, h } from "./dom.ts";
import { namesOf } from "./film.ts";

interface Differing {
  readonly run: Run;
  readonly loss: Loss;
}

export function differing(show: Show): readonly Differing[] {
  const [past, future] = show.runs;
  if (show.forkedAt === null || !past || !future) {
    return [];
  }
  const lost = (run: Run) => run.recording.lossesBetween(show.forkedAt!, show.t);
  const only = (run: Run, other: Run) => {
    const there = new Set(lost(other).map(({ client }) => client));
    return lost(run)
      .filter(({ client }) => !there.has(client))
      .map((loss) => ({ run, loss }));
  };
  return [...only(past, future), ...only(future, past)];
}

export function openDiffering(show: Show, follow: (client: number) => void): void {
  const items = differing(show).map(({ run, loss }) => {
    const user = run.recording.userOf(loss.client) ?? loss.client + 1;
    const known = loss.noticed <= show.t ? `noticed at ${clock(loss.noticed, 1)}` : "not noticed yet";
    return {
      label: h("span", {}, badge(run), h("b", {}, ` User ${user} `), namesOf(loss.items)),
      note: `lost at ${clock(loss.t, 1)}, ${known}`,
      action: () => follow(loss.client),
    };
  });
  openList("Carts that are lost in one future only", "Press one to follow its user.", items);
}
