/** Sets of items, and how they are shown: in three places, from left to right. */

import type { ItemSet } from "../engine/moments.ts";

const bits = (set: ItemSet): bigint => BigInt(set);

/** The numbers of the items in a set, counted from 1. */
export function itemsOf(set: ItemSet): number[] {
  const items: number[] = [];
  for (let rest = bits(set), number = 1; rest > 0n; rest >>= 1n, number++) {
    if (rest & 1n) {
      items.push(number);
    }
  }
  return items;
}

/** Which of three places are filled. The first three items have a place each; those after them go round again. */
export function places(set: ItemSet): number {
  if (typeof set === "number" && set < 8) {
    return set;
  }
  return itemsOf(set).reduce((filled, item) => filled | (1 << ((item - 1) % 3)), 0);
}

export const isEmpty = (set: ItemSet): boolean => set === 0 || set === "0";

export const isSame = (a: ItemSet, b: ItemSet): boolean => String(a) === String(b);
