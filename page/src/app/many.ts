/** The same designs with many seeds, in an engine of their own: the show goes on meanwhile. */

import { connect } from "../engine/connect.ts";
import { Calls, type LoadRequest } from "../engine/engine.ts";

/** By design: how many carts each run lost. */
export type Lost = ReadonlyMap<number, readonly number[]>;

/** Plays seeds 1, 2, …; tells after each what came out so far. Stops early when `goOn` says so. */
export async function playMany(
  request: LoadRequest,
  seeds: number,
  told: (lost: Lost, seed: number) => void,
  goOn: () => boolean,
): Promise<void> {
  const calls = new Calls(await connect("many"));
  const lost = new Map<number, number[]>();
  for (let seed = 1; seed <= seeds && goOn(); seed++) {
    const { runs } = await calls.load({ ...request, seed });
    for (const { run, design } of runs) {
      let carts = 0;
      for (let over = false; !over && goOn(); ) {
        const batch = await calls.advance(run, design.end);
        over = batch.over || batch.now >= design.end;
        carts = batch.keyframes.at(-1)?.tally.lost ?? carts;
      }
      const so_far = lost.get(design.number) ?? [];
      so_far.push(carts);
      lost.set(design.number, so_far);
    }
    told(lost, seed);
  }
  calls.end();
}
