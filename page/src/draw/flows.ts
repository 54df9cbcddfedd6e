/** Requests as bands, where there are too many to be drawn one by one. The wider a band, the more requests. */

import type { Scene } from "../run/scene.ts";
import { centre, type Layout, type Rect } from "./layout.ts";
import type { Op } from "./list.ts";

/** The width of a band for one request, in rem, and the widest. */
const EACH = 0.035;
const WIDEST = 1.5;

export function* drawFlows({ flows, store }: Scene, layout: Layout): Generator<Op> {
  const place = (name: string) => layout.places.get(name);
  const [crowd, balancer, far] = [place("crowd"), place("balancer"), place("store")];
  if (flows.size === 0 || !crowd || !balancer) {
    return;
  }
  const all = [...flows.values()].reduce((sum, requests) => sum + requests, 0);
  yield* band(crowd, balancer, all, layout, 3 * WIDEST);
  for (const [server, requests] of flows) {
    const card = place(`server-${server}`);
    if (card) {
      yield* band(gapBefore(card, place(`port-${server}`), balancer, layout), card, requests, layout, WIDEST);
    }
    if (card && far && !store.down) {
      yield* band(card, far, requests, layout, WIDEST);
    }
  }
}

/** Where a band to a card begins: at the balancer, or shortly before the card if other cards are between them. */
function gapBefore(card: Rect, port: Rect | undefined, balancer: Rect, { rem, upright }: Layout): Rect {
  const from = { ...(port ?? card), x: balancer.x, w: balancer.w };
  if (upright) {
    return {
      ...from,
      x: card.x,
      w: card.w,
      y: Math.max(balancer.y, card.y - 1.2 * rem - balancer.h),
      h: balancer.h,
    };
  }
  return { ...from, x: Math.max(balancer.x, card.x - 1.2 * rem - balancer.w) };
}

/** A band from the edge of one box to the edge of the next. */
function* band(
  from: Rect,
  to: Rect,
  requests: number,
  { rem, upright }: Layout,
  most: number,
): Generator<Op> {
  if (requests === 0) {
    return;
  }
  const width = Math.max(1, Math.min(most, EACH * requests) * rem);
  const [a, b] = [centre(from), centre(to)];
  const points = upright
    ? [a.x, from.y + from.h, b.x, to.y]
    : [from.x + from.w, a.y, to.x, Math.max(to.y, Math.min(to.y + to.h, a.y))];
  yield { op: "band", points, width, fill: "d", alpha: 0.45 };
}
