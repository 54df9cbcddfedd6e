/** A prediction: the clock stops before it happens, and what came out is shown beside the guess. */

import type { ScenarioInfo } from "../engine/moments.ts";
import { remembered } from "./settings.ts";
import type { Show } from "./show.ts";

type Predict = NonNullable<ScenarioInfo["predict"]>;

/** How long before the fault the clock stops, and how long after it the answer is shown, in seconds. */
const BEFORE = 0.5;
const AFTER = 6;
/** Without a fault: how long there is to look before the question comes, and when the answer is shown. */
const LOOK = 3;
const SETTLED = 30;

export class Guess {
  readonly stopsAt: number;
  readonly revealsAt: number;
  state: "open" | "asked" | "guessed" | "shown" = "open";
  /** The index of the choice; `null` if they only wanted to see. */
  picked: number | null = null;

  constructor(
    readonly scenario: string,
    readonly predict: Predict,
    show: Show,
    start: number,
  ) {
    const first = show.firstFault;
    this.stopsAt = first === null ? start + LOOK : Math.max(start, first - BEFORE);
    this.revealsAt = Math.min(show.end, first === null ? Math.max(start, SETTLED) : first + AFTER);
  }

  pick(choice: number | null): void {
    this.picked = choice;
    this.state = "guessed";
    if (choice !== null) {
      const counts = this.counts();
      counts[choice] = (counts[choice] ?? 0) + 1;
      remembered(`guesses.${this.scenario}`, JSON.stringify(counts));
    }
  }

  /** How often each choice was made in this browser. */
  counts(): number[] {
    const none = this.predict.choices.map(() => 0);
    try {
      const kept: unknown = JSON.parse(remembered(`guesses.${this.scenario}`) ?? "[]");
      return none.map((_, choice) =>
        Array.isArray(kept) ? Math.max(0, Math.floor(Number(kept[choice]) || 0)) : 0,
      );
    } catch {
      return none;
    }
  }
}
