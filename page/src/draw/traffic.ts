/** The moving layer: messages, calls to the store, falling carts, and what servers say. */

import type { Bin, Message, Scene, Stop, StoreCall } from "../run/scene.ts";
import { between, centre, contains, type Layout, type Point, seatIn } from "./layout.ts";
import type { Op } from "./list.ts";

/** A number from 0 to 1 that depends on nothing but the key: the same disorder at every look. */
function disorder(key: number): number {
  let x = (key + 1) * 0x9e3779b1;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

function locate(stop: Stop, layout: Layout, seats: number): Point | null {
  const place = (name: string) => layout.places.get(name);
  if (stop.at === "seat") {
    const crowd = place("crowd");
    return crowd ? centre(seatIn(crowd, stop.seat, seats)) : null;
  }
  if (stop.at === "port") {
    const port = place(`port-${stop.server}`) ?? place("balancer");
    return port ? centre(port) : null;
  }
  const memory = place(`memory-${stop.server}`);
  if (stop.at === "server" && memory) {
    return centre(seatIn(memory, stop.seat, seats));
  }
  const card = place(`server-${stop.server}`);
  return card ? door(card, stop.seat, layout.upright, false) : null;
}

/** Where messages enter a card, or leave it on the far side. */
function door(
  card: { x: number; y: number; w: number; h: number },
  seat: number,
  upright: boolean,
  far: boolean,
): Point {
  const along = (seat % 7) / 6;
  return upright
    ? { x: card.x + card.w * (0.15 + 0.7 * along), y: card.y + (far ? card.h - 3 : 4) }
    : { x: card.x + (far ? card.w - 3 : 4), y: card.y + card.h * (0.45 + 0.4 * along) };
}

/** The point at a share of a way whose parts take equal time. */
function along(way: readonly Point[], share: number): Point {
  const at = Math.max(0, Math.min(0.9999, share)) * (way.length - 1);
  const part = Math.floor(at);
  return between(way[part]!, way[part + 1]!, at - part);
}

function* wagons(
  message: Message,
  way: readonly Point[],
  rem: number,
  hidden: (at: Point) => boolean,
): Generator<Op> {
  for (let wagon = 0; wagon < Math.min(10, message.wagons); wagon++) {
    const { x, y } = along(way, message.progress - 0.035 * (wagon + 1));
    const size = 0.26 * rem;
    if (hidden({ x, y })) {
      continue;
    }
    yield { op: "rect", x: x - size / 2, y: y - size / 2, w: size, h: size, r: 0, fill: "d", alpha: 0.85 };
  }
}

function* message(message: Message, layout: Layout, seats: number): Generator<Op> {
  const stops = message.stops.map((stop) => locate(stop, layout, seats));
  if (stops.some((stop) => stop === null) || stops.length < 2) {
    return;
  }
  const way = stops as Point[];
  const head = along(way, message.progress);
  const tail = along(way, message.progress - 0.11);
  const balancer = layout.places.get("balancer");
  // Inside the balancer requests cannot be seen: the decision is its own.
  const hidden = (at: Point) => balancer !== undefined && contains(balancer, at);
  const { rem } = layout;
  yield* wagons(message, way, rem, hidden);
  if (hidden(head)) {
    return;
  }
  const own = message.kind === "add";
  const colour = own ? "d" : message.kind === "buy" ? "ink" : "dim";
  if (!hidden(tail)) {
    const width = own ? 0.17 * rem : 0.09 * rem;
    yield { op: "line", points: [tail.x, tail.y, head.x, head.y], line: colour, width, alpha: 0.4 };
  }
  const { x, y } = head;
  if (own) {
    const size = 0.5 * rem;
    yield { op: "rect", x: x - size / 2, y: y - size / 2, w: size, h: size, r: size * 0.25, fill: "d" };
  } else if (message.kind === "buy") {
    yield { op: "ring", x, y, r: 0.23 * rem, line: "ink", width: 0.13 * rem };
  } else {
    yield { op: "disc", x, y, r: 0.16 * rem, fill: colour };
  }
  if (message.followed) {
    yield { op: "ring", x, y, r: 0.5 * rem, line: "ink", width: 2 };
  }
  if (message.bounced && way[2] && message.progress > 2 / (way.length - 1)) {
    const size = 0.62 * rem;
    yield { op: "cross", x: way[2].x, y: way[2].y, w: size, h: size, line: "loss", width: 0.16 * rem };
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
  yield {
    op: "line",
    points: [from.x, from.y, x, y],
    line: call.bounced ? "loss" : "d",
    width: 1,
    alpha: 0.35,
  };
  yield {
    op: "diamond",
    x,
    y,
    r: 0.25 * layout.rem,
    fill: call.bounced ? "loss" : "d",
    hollow: call.bounced,
  };
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
    columns = Math.max(3, Math.floor(width / (1.35 * rem * scale)));
    fits = columns * Math.max(1, Math.floor((height + 0.2 * rem) / (1.02 * rem * scale)));
    if (carts <= fits) {
      return { columns, scale, each: 1 };
    }
  }
  return { columns, scale: 0.62, each: STEPS.find((each) => carts / each <= fits) ?? carts };
}

function* bin(content: Bin, layout: Layout, seats: number): Generator<Op> {
  const box = layout.places.get("bin");
  const crowd = layout.places.get("crowd");
  if (!box || !crowd) {
    return;
  }
  const { rem } = layout;
  const settled = content.noticed + content.unnoticed;
  const { columns, scale, each } = heap(box.w, box.h, rem, settled + content.falling.length);
  const size = 0.057 * rem * scale;
  const lies = (slot: number): Point => ({
    x: box.x + ((slot % columns) + 0.5) * (box.w / columns) + (disorder(slot * 3) - 0.5) * 0.25 * rem,
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

export function drawTraffic(scene: Scene, layout: Layout): Op[] {
  const ops: Op[] = [];
  const seats = scene.seats.length;
  for (const call of scene.calls) {
    ops.push(...storeCall(call, layout, seats));
  }
  for (const each of scene.messages) {
    ops.push(...message(each, layout, seats));
  }
  ops.push(...bin(scene.bin, layout, seats));
  for (const bubble of scene.bubbles) {
    const box = layout.places.get(`memory-${bubble.server}`) ?? layout.places.get(`server-${bubble.server}`);
    if (box) {
      const { rem, width } = layout;
      ops.push({
        op: "bubble",
        x: box.x + 0.5 * rem,
        y: box.y + box.h * 0.5,
        text: bubble.text,
        size: rem,
        most: width - 4,
      });
    }
  }
  return ops;
}
