/** Carts that fell: when, from where, and when their users noticed. */

import type { Happening, ItemSet } from "../engine/moments.ts";
import { isEmpty, isSame } from "./items.ts";
import type { Bin, Falling } from "./scene.ts";

export interface Loss {
  readonly client: number;
  readonly items: ItemSet;
  readonly from: string;
  readonly t: number;
  /** When the user noticed: at a checkout. */
  noticed: number;
  /** When it stopped to count: its user left without a checkout, or put the items in again. */
  until: number;
}

/** How long a cart falls, in seconds of virtual time at normal speed. */
const FALL = 0.9;

export class Losses {
  private readonly all: Loss[] = [];
  private readonly unnoticed = new Map<number, Loss>();
  private readonly left = new Map<number, { place: string; t: number }>();

  take(event: Happening): void {
    switch (event.is) {
      case "holds":
        if (isEmpty(event.items)) {
          this.left.set(event.client, { place: String(event.place), t: event.t });
        }
        return;
      case "gone": {
        if (this.unnoticed.has(event.client)) {
          return;
        }
        const left = this.left.get(event.client);
        const from = left && left.t === event.t ? left.place : "crowd";
        this.unnoticed.set(event.client, this.add(event, from, Number.POSITIVE_INFINITY));
        return;
      }
      case "lost": {
        const known = this.unnoticed.get(event.client) ?? this.leaving(event.client, event.t);
        if (known) {
          known.until = Number.POSITIVE_INFINITY;
          known.noticed = event.t;
          this.unnoticed.delete(event.client);
        } else {
          this.add(event, "crowd", event.t);
        }
        return;
      }
      case "user":
        if (isSame(event.row[7], event.row[8]) && !isEmpty(event.row[7])) {
          this.forgive(event.row[0], event.t);
        }
        return;
      case "left":
        this.forgive(event.client, event.t);
    }
  }

  /** A loss that was given up in this very moment: who checks out leaves, too. */
  private leaving(client: number, t: number): Loss | undefined {
    return this.all.findLast((loss) => loss.client === client && loss.until === t);
  }

  private add(
    { client, items, t }: { client: number; items: ItemSet; t: number },
    from: string,
    noticed: number,
  ): Loss {
    const loss: Loss = { client, items, from, t, noticed, until: Number.POSITIVE_INFINITY };
    this.all.push(loss);
    return loss;
  }

  private forgive(client: number, t: number): void {
    const known = this.unnoticed.get(client);
    if (known && known.t < t) {
      known.until = t;
      this.unnoticed.delete(client);
    }
  }

  /** Carts that fell after one moment and count at another. */
  between(after: number, t: number): readonly Loss[] {
    return this.all.filter((loss) => loss.t > after && loss.t <= t && loss.until > t);
  }

  /** What is in the bin, and what is on its way into it. At speed 0 nothing falls: it is there at once. */
  at(t: number, speed: number, seatOf: (client: number) => number): Bin {
    let [noticed, unnoticed] = [0, 0];
    const falling: Falling[] = [];
    const fall = FALL * (speed === 0 ? 0 : Math.max(0.25, speed));
    for (const loss of this.all) {
      if (loss.t > t) {
        break;
      }
      if (loss.until <= t) {
        continue;
      }
      // Carts that die together fall one after the other, row by row.
      const begins = loss.t + (loss.from === "crowd" ? 0 : fall * 0.7 * ((seatOf(loss.client) % 97) / 97));
      const progress = fall === 0 ? 1 : Math.max(0, (t - begins) / fall);
      if (progress < 1) {
        falling.push({ seat: seatOf(loss.client), from: loss.from, progress, noticed: loss.noticed <= t });
      } else if (loss.noticed <= t) {
        noticed += 1;
      } else {
        unnoticed += 1;
      }
    }
    return { noticed, unnoticed, falling };
  }
}
