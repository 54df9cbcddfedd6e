/** Lost carts: those that lie in the bin, and those that fall into it. */

import type { Bin } from "../run/scene.ts";
import { between, centre, type Layout, type Point, seatIn } from "./layout.ts";
import type { Op } from "./list.ts";

/** A number from 0 to 1 that depends on nothing but the key: the same disorder at every look. */
function disorder(key: number): number {
  let x = (key + 1) * 0x9e3779b1;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** How the carts in a bin are heaped up. */
export interface Heap {
  readonly columns: number;
  readonly scale: number;
  /** How many lost carts one drawn stands for. */
  readonly each: number;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000];

export function heap(width: number, height: number, rem: number, carts: number): Heap {
  let [columns, fits] = [3, 3];
  for (const scale of [1, 0.8, 0.62]) {
    columns = Math.max(3, Math.floor((width - 0.4 * rem) / (1.35 * rem * scale)));
    fits = columns * Math.max(1, Math.floor((height + 0.2 * rem) / (1.02 * rem * scale)));
    if (carts <= fits) {
      return { columns, scale, each: 1 };
    }
  }
  return { columns, scale: 0.62, each: STEPS.find((each) => carts / each <= fits) ?? carts };
}

export function* drawBin(content: Bin, layout: Layout, seats: number): Generator<Op> {
  const box = layout.places.get("bin");
  const crowd = layout.places.get("crowd");
  if (!box || !crowd) {
    return;
  }
  const { rem } = layout;
  const settled = content.noticed + content.unnoticed;
  const { columns, scale, each } = heap(box.w, box.h, rem, settled + content.falling.length);
  const size = 0.057 * rem * scale;
  const [left, inner] = [box.x + 0.2 * rem, box.w - 0.4 * rem];
  const lies = (slot: number): Point => ({
    x: left + ((slot % columns) + 0.5) * (inner / columns) + (disorder(slot * 3) - 0.5) * 0.25 * rem * scale,
    y:
      box.y +
      box.h -
      (0.55 + Math.floor(slot / columns) * 1.02) * rem * scale +
      (disorder(slot * 3 + 1) - 0.5) * 0.16 * rem,
  });
  const angle = (slot: number) => Math.PI + (disorder(slot * 3 + 2) - 0.5) * 0.9;
  const heaped = Math.ceil(settled / each);
  for (let slot = 0; slot < heaped; slot++) {
    const solid = slot < Math.round(content.noticed / each);
    yield { op: "cart", ...lies(slot), turn: angle(slot), scale: size, solid };
  }
  for (const [index, cart] of content.falling.entries()) {
    const slot = Math.floor((settled + index) / each);
    const to = lies(slot);
    const start = layout.places.get(`memory-${cart.from}`) ?? crowd;
    const from = centre(seatIn(start, cart.seat, seats));
    const eased = cart.progress * cart.progress * (3 - 2 * cart.progress);
    const bend = { x: (from.x + to.x) / 2, y: Math.max(from.y, Math.min(from.y, to.y) - rem) };
    const at = between(between(from, bend, eased), between(bend, to, eased), eased);
    const turn = cart.progress * angle(slot);
    yield { op: "cart", ...at, turn, scale: size * (0.75 + 0.25 * cart.progress), solid: cart.noticed };
  }
}
