/** The ways of requests, from the events that tell of them. */

import type { Command, Happening } from "../engine/moments.ts";
import type { Message, Stop } from "./scene.ts";

export interface Trip {
  readonly id: string;
  readonly client: number;
  readonly kind: Message["kind"];
  readonly sent: number;
  /** The servers it was sent to, in order; those before the last turned it away. */
  readonly tried: { readonly server: number; readonly t: number }[];
  /** When a worker began with it. */
  taken: number;
  /** When its effect was there, or it was given up. */
  done: number;
  served: boolean;
  calls: number;
  bytes: number;
}

const NEVER = Number.POSITIVE_INFINITY;

function kindOf(command: Command): Message["kind"] {
  const name = typeof command === "string" ? command : Object.keys(command)[0];
  if (name === "checkout") {
    return "buy";
  }
  return name === "add" || name === "remove" || name === "upload" ? "add" : "look";
}

/**
 * How far a picture looks ahead, in seconds of virtual time: a message is on its way before it arrives. Whatever is
 * later does not count, so that a picture is the same whether more is known by now or not.
 */
export const AHEAD = 2;

/** The longest that a flight is stretched. */
export const LONGEST_FLIGHT = 1.7;

/** Trips by the seconds in which they may be seen. */
export class Trips {
  private readonly open = new Map<string, Trip>();
  private readonly bySecond: Trip[][] = [];

  take(event: Happening): void {
    switch (event.is) {
      case "sent": {
        const client = Number.parseInt(event.id, 10);
        const tried = event.to === null ? [] : [{ server: event.to, t: event.t }];
        const open = { taken: NEVER, done: NEVER, served: false, calls: 0, bytes: 0 };
        const trip: Trip = { id: event.id, client, kind: kindOf(event.what), sent: event.t, tried, ...open };
        this.open.set(event.id, trip);
        this.show(trip, event.t - LONGEST_FLIGHT, event.t + AHEAD);
        return;
      }
      case "retried": {
        const trip = this.open.get(event.id);
        if (trip) {
          go(trip, event.from, event.t);
          go(trip, event.to, event.t);
        }
        return;
      }
      case "served": {
        const trip = this.open.get(event.id);
        if (trip) {
          go(trip, event.by, event.t);
          const { taken, t: done, calls, bytes } = event;
          Object.assign(trip, { taken, done, served: true, calls, bytes });
          this.close(trip);
        }
        return;
      }
      case "dropped":
      case "told": {
        const trip = this.open.get(event.id);
        if (trip) {
          trip.taken = trip.done = event.t;
          this.close(trip);
        }
      }
    }
  }

  private close(trip: Trip): void {
    this.open.delete(trip.id);
    this.show(trip, Math.floor(trip.sent + AHEAD) + 1, trip.done + LONGEST_FLIGHT);
  }

  private show(trip: Trip, from: number, to: number): void {
    for (let second = Math.max(0, Math.floor(from)); second <= Math.floor(to); second++) {
      this.bySecond[second] ??= [];
      this.bySecond[second]!.push(trip);
    }
  }

  /** Trips that may be seen at a moment, and some that may not; in the order of their start. */
  around(t: number): readonly Trip[] {
    return this.bySecond[Math.max(0, Math.floor(t))] ?? [];
  }
}

function go(trip: Trip, server: number | null, t: number): void {
  if (server !== null && trip.tried.at(-1)?.server !== server) {
    trip.tried.push({ server, t });
  }
}

export interface Flight {
  /** How much of its way lies behind it; below 0 it has not begun, above 1 it has arrived. */
  readonly progress: number;
  /** How far a call to the store is, from 0 to 1; `null` if there is none. */
  readonly call: number | null;
}

/**
 * Where a request is. A flight takes `least` seconds at least, so that it can be seen: its end is true, its start is
 * drawn early. Work that takes longer than that is seen as such: the request arrives when a worker takes it.
 */
export function flight(trip: Trip, t: number, least: number): Flight {
  const done = trip.done <= t + AHEAD ? trip.done : NEVER;
  const taken = done < NEVER ? trip.taken : NEVER;
  const asks = trip.calls > 0 && trip.served && done < NEVER;
  const out = asks ? least * 0.4 : 0;
  const arrives = done === NEVER ? trip.sent + least : done - taken > least ? taken : done - out;
  const starts = Math.min(trip.sent, arrives - least);
  const travels = Math.min(arrives - starts, least * 1.5);
  const progress = (t - starts) / travels;
  const call = asks && progress >= 1 ? (t - (done - out)) / (2 * out) : null;
  return { progress, call: call !== null && call >= 0 && call < 1 ? call : null };
}

/** The stops of a trip: into the balancer straight ahead, out of it at a port. A server that keeps a cart is entered at the cart's seat, another one at its door. */
export function stops(trip: Trip, seat: number, t: number, remembers: boolean): Stop[] {
  const way: Stop[] = [
    { at: "seat", seat },
    { at: "gate", seat },
  ];
  for (const { server } of trip.tried.filter((tried) => tried.t <= t + AHEAD)) {
    way.push({ at: "port", server });
    way.push(remembers ? { at: "server", server, seat } : { at: "door", server, seat });
  }
  return way;
}
