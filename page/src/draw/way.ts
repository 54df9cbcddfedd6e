/** The ways of messages on the screen: from a seat into the balancer, out of it at a port, and into a server. */

import type { Stop } from "../run/scene.ts";
import { between, centre, type Layout, type Point, type Rect, seatIn } from "./layout.ts";

/** A way, and how its time is divided: `ends` says at which share of it each part is over. */
export interface Way {
  readonly points: readonly Point[];
  readonly ends: readonly number[];
  /** The index of the first server on it. */
  readonly firstServer: number;
}

/** Inside the balancer a message is not seen: it spends little time there. */
const INSIDE = 0.25;

export function wayOf(stops: readonly Stop[], layout: Layout, seats: number): Way | null {
  const points = stops.map((stop) => locate(stop, layout, seats));
  if (points.length < 2 || points.some((point) => point === null)) {
    return null;
  }
  const parts = stops.slice(0, -1).map(({ at }) => (at === "gate" ? INSIDE : 1));
  const all = parts.reduce((sum, part) => sum + part, 0);
  let sum = 0;
  const ends = parts.map((part) => {
    sum += part;
    return sum / all;
  });
  const firstServer = stops.findIndex(({ at }) => at === "server" || at === "door");
  return { points: points as Point[], ends, firstServer };
}

function locate(stop: Stop, layout: Layout, seats: number): Point | null {
  const place = (name: string) => layout.places.get(name);
  const crowd = place("crowd");
  switch (stop.at) {
    case "seat":
      return crowd ? centre(seatIn(crowd, stop.seat, seats)) : null;
    case "gate": {
      const balancer = place("balancer");
      return crowd && balancer
        ? gate(centre(seatIn(crowd, stop.seat, seats)), balancer, layout.upright)
        : null;
    }
    case "port": {
      const port = place(`port-${stop.server}`) ?? place("balancer");
      return port ? centre(port) : null;
    }
    case "server": {
      const memory = place(`memory-${stop.server}`);
      if (memory) {
        return centre(seatIn(memory, stop.seat, seats));
      }
    }
  }
  const card = place(`server-${stop.server}`);
  return card ? door(card, stop.seat, layout.upright, false) : null;
}

/** Straight ahead from a seat. */
function gate(seat: Point, balancer: Rect, upright: boolean): Point {
  const within = (at: number, from: number, length: number) =>
    Math.max(from + 5, Math.min(from + length - 5, at));
  return upright
    ? { x: within(seat.x, balancer.x, balancer.w), y: balancer.y + 1 }
    : { x: balancer.x + 1, y: within(seat.y, balancer.y, balancer.h) };
}

/** Where messages enter a card, or leave it on the far side. */
export function door(card: Rect, seat: number, upright: boolean, far: boolean): Point {
  const along = (seat % 7) / 6;
  return upright
    ? { x: card.x + card.w * (0.15 + 0.7 * along), y: card.y + (far ? card.h - 3 : 4) }
    : { x: card.x + (far ? card.w - 3 : 4), y: card.y + card.h * (0.45 + 0.4 * along) };
}

/** On which part of a way a share of its time has passed, counted from 0, and how much of that part. */
function part({ ends }: Way, share: number): [number, number] {
  const at = Math.max(0, Math.min(0.9999, share));
  const index = ends.findIndex((end) => at < end);
  const begins = ends[index - 1] ?? 0;
  return [index, (at - begins) / (ends[index]! - begins)];
}

export function along(way: Way, share: number): Point {
  const [index, of] = part(way, share);
  return between(way.points[index]!, way.points[index + 1]!, of);
}

/** The point so many pixels behind another one, or nothing: so far back the way had not begun. */
export function behind(way: Way, share: number, pixels: number): Point | null {
  const [index] = part(way, share);
  let [from, rest] = [along(way, share), pixels];
  for (let before = index; before >= 0; before--) {
    const to = way.points[before]!;
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    if (rest <= length) {
      return length === 0 ? to : between(from, to, rest / length);
    }
    rest -= length;
    from = to;
  }
  return null;
}
