/** Which sentence stands under the title. The sentences are the engine's; weighty ones stand longer. */

import type { About } from "../engine/moments.ts";
import type { Saying } from "../run/recording.ts";
import type { Run } from "./show.ts";

const WEIGHT: Readonly<Record<About, number>> = { end: 6, fault: 5, loss: 4, belief: 3, pool: 2, user: 1 };
/** For how many seconds of virtual time a sentence stands before one of less weight takes its place. */
const STANDS: Readonly<Record<About, number>> = {
  end: 60,
  fault: 0.85,
  loss: 0.6,
  belief: 0.8,
  pool: 0.8,
  user: 0.5,
};
/** After this time nothing is news. */
const NEWS = 10;

export interface Caption {
  readonly t: number;
  readonly about: About;
  /** One text for all designs, or one for each that says something else. */
  readonly parts: readonly { readonly runs: readonly Run[]; readonly text: string }[];
}

export function captionAt(runs: readonly Run[], t: number): Caption | null {
  const said = runs.flatMap((run) => run.recording.sayingsBetween(t - NEWS, t)).toSorted((a, b) => a.t - b.t);
  let current: Saying | null = null;
  let waiting: Saying | null = null;
  let free = Number.NEGATIVE_INFINITY;
  const show = (saying: Saying, at: number) => {
    current = saying;
    waiting = null;
    free = at + STANDS[saying.about];
  };
  const next = (at: number) => {
    if (waiting && at >= free) {
      show(waiting, free);
    }
  };
  for (const saying of said) {
    next(saying.t);
    if (isSameNews(saying, current) || isSameNews(saying, waiting)) {
      continue;
    }
    if (saying.t >= free || WEIGHT[saying.about] > WEIGHT[current!.about]) {
      show(saying, saying.t);
    } else if (!waiting || WEIGHT[saying.about] >= WEIGHT[(waiting as Saying).about]) {
      waiting = saying;
    }
  }
  next(t);
  return current ? together(runs, current, t) : null;
}

/** Designs tell of one thing at nearly the same moment. */
const isSameNews = (saying: Saying, other: Saying | null): boolean =>
  other !== null && saying.about === other.about && saying.t - other.t < 0.25;

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

/** A caption as it is read out: who says it matters unless all designs do. */
export function inOneText({ parts }: Caption, designs: number): string {
  const several = parts.some(({ runs }) => runs.length < designs);
  const who = (runs: readonly Run[]) =>
    several ? `Design ${runs.map(({ design }) => design.number).join(" and ")}: ` : "";
  return parts.map(({ runs, text }) => who(runs) + text).join(" ");
}

/** How much a caption matters; 0 for none. */
export const weightOf = (caption: Caption | null): number => (caption ? WEIGHT[caption.about] : 0);

/**
 * Tells a screen reader what happens: one sentence in four seconds at most. Of those between, the weightiest waits, and of
 * equals the last.
 */
export class Narrator {
  private last = 0;
  private waiting: { readonly text: string; readonly weight: number } | null = null;
  private timer = 0;

  constructor(
    private readonly speak: (text: string) => void,
    private readonly pause = 4000,
  ) {}

  tell(text: string, weight: number): void {
    if (this.waiting && this.waiting.weight > weight) {
      return;
    }
    this.waiting = { text, weight };
    const wait = this.last + this.pause - performance.now();
    if (wait <= 0) {
      this.say();
    } else if (this.timer === 0) {
      this.timer = globalThis.setTimeout(() => this.say(), wait);
    }
  }

  private say(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.waiting !== null) {
      this.last = performance.now();
      this.speak(this.waiting.text);
      this.waiting = null;
    }
  }
}
