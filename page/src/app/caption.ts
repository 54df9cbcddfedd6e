/** Which sentence stands under the title: the weightiest of the last moments. The sentences are the engine's. */

import type { About } from "../engine/moments.ts";
import type { Saying } from "../run/recording.ts";
import type { Run } from "./show.ts";

const WEIGHT: Readonly<Record<About, number>> = { end: 6, fault: 5, loss: 4, belief: 3, pool: 2, user: 1 };
/** For how many seconds of virtual time a sentence may stand. */
const STANDS = 5;

export interface Caption {
  readonly t: number;
  readonly about: About;
  /** One text for all designs, or one for each that says something else. */
  readonly parts: readonly { readonly runs: readonly Run[]; readonly text: string }[];
}

export function captionAt(runs: readonly Run[], t: number): Caption | null {
  let best: Saying | null = null;
  for (const run of runs) {
    for (const saying of run.recording.sayingsBetween(t - STANDS, t)) {
      if (!best || isBetter(saying, best, t)) {
        best = saying;
      }
    }
  }
  return best ? together(runs, best, t) : null;
}

/** Weightier ones stand for a while; among equals the latest one does. */
function isBetter(one: Saying, other: Saying, t: number): boolean {
  const lasts = (about: About) => STANDS * (0.3 + 0.14 * WEIGHT[about]);
  const weight = (saying: Saying) => (t - saying.t < lasts(saying.about) ? WEIGHT[saying.about] : 0);
  const difference = weight(one) - weight(other);
  return difference > 0 || (difference === 0 && one.t > other.t);
}

/** What the designs say of the same thing. */
function together(runs: readonly Run[], { t, about, text }: Saying, now: number): Caption {
  const parts: { runs: Run[]; text: string }[] = [];
  for (const run of runs) {
    const near = run.recording.sayingsBetween(Math.max(0, t - 0.25), Math.min(now, t + 0.25));
    const same =
      near.find((saying) => saying.text === text) ?? near.findLast((saying) => saying.about === about);
    const known = parts.find((part) => part.text === same?.text);
    if (known) {
      known.runs.push(run);
    } else if (same) {
      parts.push({ runs: [run], text: same.text });
    }
  }
  return { t, about, parts };
}

/** Tells a screen reader what happens: one sentence in four seconds at most, a later one instead of those between. */
export class Narrator {
  private last = 0;
  private waiting: string | null = null;
  private timer = 0;

  constructor(
    private readonly speak: (text: string) => void,
    private readonly pause = 4000,
  ) {}

  tell(text: string): void {
    this.waiting = text;
    const wait = this.last + this.pause - performance.now();
    if (wait <= 0) {
      this.say();
    } else if (this.timer === 0) {
      this.timer = window.setTimeout(() => this.say(), wait);
    }
  }

  private say(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.waiting !== null) {
      this.last = performance.now();
      this.speak(this.waiting);
      this.waiting = null;
    }
  }
}
