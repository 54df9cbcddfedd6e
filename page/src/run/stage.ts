/** The scene at a moment: a pure function of what was recorded, the moment, and how fast time passes. */

import type { ServerRow } from "../engine/moments.ts";
import type { Recording } from "./recording.ts";
import type { Copy, Message, Scene, StoreCall } from "./scene.ts";
import { flight, LONGEST_FLIGHT, stops } from "./trips.ts";

/** How long a message travels at least, in seconds on the wall. */
const FLIGHT = 0.42;
/** Faster than this, single messages are not drawn. */
export const FASTEST_MESSAGES = 4;

export interface Look {
  /** Seconds of virtual time in one on the wall. */
  readonly speed: number;
  readonly followedUser: number;
  /** Whether nothing may move: messages are left out, and carts appear in the bin. */
  readonly still: boolean;
  /** Whether servers keep carts. */
  readonly remembers: boolean;
  /** Whether users carry their carts. */
  readonly carries: boolean;
}

export function sceneAt(recording: Recording, t: number, look: Look): Scene {
  const world = recording.worldAt(t);
  const seatOf = (client: number) => Math.floor(client / world.clientsPerSeat);
  const single = world.clientsPerSeat === 1;
  const drawn = single && look.speed <= FASTEST_MESSAGES && !look.still;
  const { messages, calls } = drawn ? traffic(recording, t, look) : { messages: [], calls: [] };
  const { lost, gone } = world.tally;
  const bin = single
    ? recording.bin(t, look.still ? 0 : look.speed, seatOf)
    : { noticed: lost, unnoticed: gone, falling: [] };
  return {
    now: t,
    seats: world.seats,
    plates: world.plates,
    followed: seatOf(recording.followedClient),
    followedUser: look.followedUser,
    clientsPerSeat: world.clientsPerSeat,
    servers: world.servers,
    store: world.store,
    tally: world.tally,
    headline: world.headline,
    messages,
    calls,
    copies: drawn ? copies(recording, t, look) : [],
    flows: drawn || look.still ? new Map() : single ? recording.sentTo(t) : inFlight(world.servers),
    scatters: look.remembers,
    bin,
    bubbles: single ? recording.bubbles(t, look.speed, seatOf) : [],
  };
}

const leastFlight = ({ speed }: Look): number => Math.min(LONGEST_FLIGHT, FLIGHT * speed);

const inFlight = (servers: readonly ServerRow[]): Map<number, number> =>
  new Map(servers.map(({ id, in_flight }) => [id, in_flight]));

function copies(recording: Recording, t: number, look: Look): Copy[] {
  const least = leastFlight(look);
  return recording
    .copiesBetween(t, t + least)
    .map((copy) => ({ from: copy.from, to: copy.to, seat: copy.client, progress: 1 - (copy.t - t) / least }));
}

function traffic(recording: Recording, t: number, look: Look): { messages: Message[]; calls: StoreCall[] } {
  const messages: Message[] = [];
  const calls: StoreCall[] = [];
  const least = leastFlight(look);
  for (const trip of recording.tripsAround(t)) {
    const { progress, call } = flight(trip, t, least);
    const seat = trip.client;
    if (progress >= 0 && progress < 1) {
      messages.push({
        id: trip.id,
        kind: trip.kind,
        seat,
        stops: stops(trip, seat, t, look.remembers),
        progress,
        followed: seat === recording.followedClient,
        wagons: look.carries ? Math.round(trip.bytes / 64) : 0,
        bounced: trip.tried.length > 1,
      });
    }
    const server = trip.tried.at(-1)?.server;
    if (call !== null && server !== undefined) {
      calls.push({ server, seat, progress: call, bounced: false });
    }
  }
  return { messages, calls };
}
