/** What the engine has told of one run so far. It only grows, or is cut off at a moment. */

import type { About, Happening, Keyframe, Place } from "../engine/moments.ts";
import { isEmpty } from "./items.ts";
import { Losses } from "./losses.ts";
import type { Bubble } from "./scene.ts";
import { Trips } from "./trips.ts";
import { type Dimensions, World } from "./world.ts";

export interface Saying {
  readonly t: number;
  readonly about: About;
  readonly text: string;
}

interface Spoken {
  readonly t: number;
  readonly client: number;
  readonly server: number;
  readonly text: string;
}

/** A changed cart that arrived in another server's memory. */
interface CopyMade {
  readonly t: number;
  readonly client: number;
  readonly from: number;
  readonly to: number;
}

/** A server says at most one thing in this time, unless it is to the followed user. */
const SILENCE = 0.7;
/** How long a bubble stands, in seconds of virtual time at normal speed. */
const BUBBLE = 1.3;

export class Recording {
  private keyframes: Keyframe[] = [];
  private events: Happening[] = [];
  private trips = new Trips();
  private losses = new Losses();
  private spoken: Spoken[] = [];
  private sent: { t: number; server: number }[] = [];
  private copies: CopyMade[] = [];
  /** Which server an open request was sent to last, and which one last served a client. */
  private readonly lastTried = new Map<string, number>();
  private readonly lastServed = new Map<number, number>();
  private cursor: { world: World; keyframe: number; event: number; t: number } | null = null;
  /** Sentences, in order of time. */
  says: Saying[] = [];
  /** How many carts were lost or gone, whenever that changed. */
  lost: { t: number; lost: number }[] = [];
  /** Until when everything is known. */
  until = 0;

  constructor(
    readonly dimensions: Dimensions,
    readonly followedClient: number,
  ) {}

  /** The client with this number belongs to this user. */
  userOf(client: number): number | null {
    return this.keyframes[0]?.users?.find((row) => row[0] === client)?.[1] ?? null;
  }

  /** Whether a seat stands for several users now. */
  get sharesSeats(): boolean {
    return (this.keyframes.at(-1)?.clients_per_seat ?? 1) > 1;
  }

  /** Adds what has happened until a moment. */
  add(keyframes: readonly Keyframe[], events: readonly Happening[], until: number): void {
    for (const keyframe of keyframes) {
      if (this.keyframes.at(-1)?.t === keyframe.t) {
        this.keyframes.pop();
      }
      this.keyframes.push(keyframe);
    }
    for (const event of events) {
      this.events.push(event);
      this.take(event);
    }
    this.until = until;
  }

  /** Forgets everything after a moment. */
  cut(t: number): void {
    const events = this.events.filter((event) => event.t <= t);
    const keyframes = this.keyframes.filter((keyframe) => keyframe.t <= t);
    this.keyframes = [];
    this.events = [];
    this.trips = new Trips();
    this.losses = new Losses();
    this.spoken = [];
    this.sent = [];
    this.copies = [];
    this.lastTried.clear();
    this.lastServed.clear();
    this.cursor = null;
    this.says = [];
    this.lost = [];
    this.add(keyframes, events, t);
  }

  /** The same with another user in the middle. */
  following(client: number): Recording {
    const other = new Recording(this.dimensions, client);
    other.add(this.keyframes, this.events, this.until);
    return other;
  }

  private take(event: Happening): void {
    this.trips.take(event);
    this.losses.take(event);
    switch (event.is) {
      case "say":
        this.says.push({ t: event.t, about: event.about, text: event.text });
        return;
      case "tally":
        this.lost.push({ t: event.t, lost: event.tally.lost_or_gone });
        return;
      case "sent":
        this.tries(event.id, event.to, event.t);
        return;
      case "retried":
        this.tries(event.id, event.to, event.t);
        return;
      case "served":
        this.lastTried.set(event.id, event.by);
        this.lastServed.set(clientOf(event.id), event.by);
        this.speak(event.id, event.by, event.words, event.t);
        return;
      case "told": {
        const server = this.lastTried.get(event.id);
        this.lastTried.delete(event.id);
        if (!event.ok && server !== undefined) {
          this.speak(event.id, server, event.words, event.t);
        }
        return;
      }
      case "holds":
        this.copied(event.place, event.client, !isEmpty(event.items), event.t);
    }
  }

  private tries(id: string, server: number | null, t: number): void {
    if (server !== null) {
      this.lastTried.set(id, server);
      this.sent.push({ t, server });
    }
  }

  /** What a server holds that did not serve its user last came from the one that did. */
  private copied(place: Place, client: number, something: boolean, t: number): void {
    const from = this.lastServed.get(client);
    if (
      this.dimensions.copies &&
      something &&
      typeof place === "number" &&
      from !== undefined &&
      from !== place
    ) {
      this.copies.push({ t, client, from, to: place });
    }
  }

  private speak(id: string, server: number, text: string | undefined, t: number): void {
    const client = clientOf(id);
    const last = this.spoken.at(-1);
    if (text && (client === this.followedClient || !last || t - last.t > SILENCE)) {
      this.spoken.push({ t, client, server, text });
    }
  }

  /** The world at a moment. Going on from the last moment asked for is quick, and gives the same. */
  worldAt(t: number): World {
    const keyframe = this.keyframeAt(t);
    const known = this.cursor;
    if (!known || known.t > t || known.keyframe !== keyframe) {
      const start = this.keyframes[keyframe];
      if (!start) {
        throw new Error("there is no keyframe yet");
      }
      this.cursor = {
        world: new World(start, this.dimensions),
        keyframe,
        event: this.firstAfter(start.t),
        t: start.t,
      };
    }
    const cursor = this.cursor!;
    while (cursor.event < this.events.length && this.events[cursor.event]!.t <= t) {
      cursor.world.apply(this.events[cursor.event]!);
      cursor.event += 1;
    }
    cursor.t = t;
    return cursor.world;
  }

  /** The last keyframe that is not later. */
  private keyframeAt(t: number): number {
    return Math.max(0, lastUpTo(this.keyframes, t));
  }

  private firstAfter(t: number): number {
    return lastUpTo(this.events, t) + 1;
  }

  tripsAround(t: number) {
    return this.trips.around(t);
  }

  /** How many requests were sent to each server in the second before. */
  sentTo(t: number): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { server } of this.sent.slice(lastUpTo(this.sent, t - 1) + 1, lastUpTo(this.sent, t) + 1)) {
      counts.set(server, (counts.get(server) ?? 0) + 1);
    }
    return counts;
  }

  /** Copies that arrive after one moment and until another. */
  copiesBetween(after: number, until: number): readonly CopyMade[] {
    return this.copies.slice(lastUpTo(this.copies, after) + 1, lastUpTo(this.copies, until) + 1);
  }

  lossesBetween(after: number, t: number) {
    return this.losses.between(after, t);
  }

  bin(t: number, speed: number, seatOf: (client: number) => number) {
    return this.losses.at(t, speed, seatOf);
  }

  /** What servers are saying: to the followed user, else the last thing said. */
  bubbles(t: number, speed: number, seatOf: (client: number) => number): Bubble[] {
    const long = BUBBLE * Math.max(0.25, speed);
    const now = this.spoken.filter((words) => words.t <= t && t - words.t < long);
    const chosen = now.findLast((words) => words.client === this.followedClient) ?? now.at(-1);
    return chosen
      ? [{ server: chosen.server, seat: seatOf(chosen.client), text: chosen.text, age: t - chosen.t }]
      : [];
  }

  /** What is said after one moment and until another. */
  sayingsBetween(after: number, until: number): readonly Saying[] {
    return this.says.slice(lastUpTo(this.says, after) + 1, lastUpTo(this.says, until) + 1);
  }

  lostAt(t: number): number {
    return this.lost[lastUpTo(this.lost, t)]?.lost ?? 0;
  }
}

/** The client of a request, whose name is `client.visit.step.attempt`. */
const clientOf = (id: string): number => Number.parseInt(id, 10);

/** The index of the last entry that is not later than `t`; -1 if there is none. */
function lastUpTo(entries: readonly { readonly t: number }[], t: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.t <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}
