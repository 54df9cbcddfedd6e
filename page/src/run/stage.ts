/** The scene at a moment: a pure function of what was recorded, the moment, and how fast time passes. */

import type { Recording } from "./recording.ts";
import type { Message, Scene, StoreCall } from "./scene.ts";
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
  const { messages, calls } = single ? traffic(recording, t, look) : { messages: [], calls: [] };
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
    bin,
    bubbles: single ? recording.bubbles(t, look.speed, seatOf) : [],
  };
}

function traffic(recording: Recording, t: number, look: Look): { messages: Message[]; calls: StoreCall[] } {
  const messages: Message[] = [];
  const calls: StoreCall[] = [];
  if (look.speed > FASTEST_MESSAGES || look.still) {
    return { messages, calls };
  }
  const least = Math.min(LONGEST_FLIGHT, FLIGHT * look.speed);
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
