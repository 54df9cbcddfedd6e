/** The moving layer: messages, calls to the store, copies, falling carts, and what servers say. */

import type { Copy, Message, Scene, StoreCall } from "../run/scene.ts";
import { drawBin } from "./bin.ts";
import { drawFlows } from "./flows.ts";
import { between, centre, contains, type Layout, type Point, seatIn } from "./layout.ts";
import type { Op } from "./list.ts";
import { along, behind, door, type Way, wayOf } from "./way.ts";

/** So many wagons are the login, and are not in the design's colour. */
const LOGIN_WAGONS = 3;
const MOST_WAGONS = 10;

/** Tokens: wagons behind a message, one for each 64 bytes. */
function* wagons(message: Message, way: Way, rem: number, hidden: (at: Point) => boolean): Generator<Op> {
  const size = 0.27 * rem;
  for (let wagon = 0; wagon < Math.min(MOST_WAGONS, message.wagons); wagon++) {
    const at = behind(way, message.progress, (0.45 + 0.36 * wagon) * rem);
    if (at && !hidden(at)) {
      const fill = wagon < LOGIN_WAGONS ? "dim" : "d";
      yield { op: "rect", x: at.x - size / 2, y: at.y - size / 2, w: size, h: size, r: 1, fill };
    }
  }
}

function* message(message: Message, layout: Layout, seats: number): Generator<Op> {
  const way = wayOf(message.stops, layout, seats);
  if (!way) {
    return;
  }
  const balancer = layout.places.get("balancer");
  // Inside the balancer requests cannot be seen: the decision is its own.
  const hidden = (at: Point) => balancer !== undefined && contains(balancer, at);
  const { rem } = layout;
  const { progress, kind } = message;
  yield* wagons(message, way, rem, hidden);
  const refused = message.bounced ? way.points[way.firstServer] : undefined;
  if (refused && progress > way.ends[way.firstServer - 1]!) {
    const size = 0.62 * rem;
    yield { op: "cross", x: refused.x, y: refused.y, w: size, h: size, line: "loss", width: 0.16 * rem };
  }
  const head = along(way, progress);
  if (hidden(head)) {
    return;
  }
  const colour = kind === "add" ? "d" : kind === "buy" ? "ink" : "dim";
  const tail = behind(way, progress, 1.6 * rem);
  if (tail && !hidden(tail) && message.wagons === 0) {
    const width = kind === "add" ? 0.17 * rem : 0.09 * rem;
    yield { op: "line", points: [tail.x, tail.y, head.x, head.y], line: colour, width, alpha: 0.4 };
  }
  yield* mark(kind, head, rem);
  if (message.followed) {
    yield { op: "ring", ...head, r: 0.5 * rem, line: "ink", width: 2 };
  }
}

/** A dot looks, a square adds, a ring checks out. */
function* mark(kind: Message["kind"], { x, y }: Point, rem: number): Generator<Op> {
  if (kind === "add") {
    const size = 0.5 * rem;
    yield { op: "rect", x: x - size / 2, y: y - size / 2, w: size, h: size, r: size * 0.25, fill: "d" };
  } else if (kind === "buy") {
    yield { op: "ring", x, y, r: 0.23 * rem, line: "ink", width: 0.13 * rem };
  } else {
    yield { op: "disc", x, y, r: 0.16 * rem, fill: "dim" };
  }
}

function* storeCall(call: StoreCall, layout: Layout, seats: number): Generator<Op> {
  const card = layout.places.get(`server-${call.server}`);
  const plate = layout.places.get("memory-store") ?? layout.places.get("store");
  if (!card || !plate) {
    return;
  }
  const from = door(card, call.seat, layout.upright, true);
  const there = centre(seatIn(plate, call.seat, seats));
  const to = call.bounced ? between(from, there, 0.3) : there;
  const { x, y } = between(from, to, 1 - Math.abs(1 - 2 * call.progress));
  const colour = call.bounced ? "loss" : "d";
  yield { op: "line", points: [from.x, from.y, x, y], line: colour, width: 1, alpha: 0.35 };
  yield { op: "diamond", x, y, r: 0.25 * layout.rem, fill: colour, hollow: call.bounced };
}

/** A copy of a cart, on its way from one memory to the same seat in another. */
function* copy(copy: Copy, layout: Layout, seats: number): Generator<Op> {
  const [from, to] = [layout.places.get(`memory-${copy.from}`), layout.places.get(`memory-${copy.to}`)];
  if (!from || !to) {
    return;
  }
  const start = centre(seatIn(from, copy.seat, seats));
  const { x, y } = between(start, centre(seatIn(to, copy.seat, seats)), copy.progress);
  const size = 0.42 * layout.rem;
  yield { op: "line", points: [start.x, start.y, x, y], line: "d", width: 1.2, alpha: 0.45 };
  yield { op: "frame", x: x - size / 2, y: y - size / 2, w: size, h: size, r: 1.5, line: "d", width: 2 };
}

export function drawTraffic(scene: Scene, layout: Layout): Op[] {
  const seats = scene.seats.length;
  const ops: Op[] = [...drawFlows(scene, layout)];
  for (const call of scene.calls) {
    ops.push(...storeCall(call, layout, seats));
  }
  for (const each of scene.copies) {
    ops.push(...copy(each, layout, seats));
  }
  for (const each of scene.messages) {
    ops.push(...message(each, layout, seats));
  }
  ops.push(...drawBin(scene.bin, layout, seats));
  for (const bubble of scene.bubbles) {
    const box = layout.places.get(`memory-${bubble.server}`) ?? layout.places.get(`server-${bubble.server}`);
    if (box) {
      const { rem, width } = layout;
      const at = { x: box.x + 0.5 * rem, y: box.y + box.h * 0.5 };
      ops.push({ op: "bubble", ...at, text: bubble.text, size: rem, most: width - 4 });
    }
  }
  return ops;
}
