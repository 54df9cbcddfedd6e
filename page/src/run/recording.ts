/** What the engine has told of one run so far. It only grows, or is cut off at a moment. */

import type { About, Happening, Keyframe } from "../engine/moments.ts";
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
      case "served": {
        if (event.words) {
          this.speak({
            t: event.t,
            client: Number.parseInt(event.id, 10),
            server: event.by,
            text: event.words,
          });
        }
      }
    }
  }

  private speak(words: Spoken): void {
    const last = this.spoken.at(-1);
    if (words.client === this.followedClient || !last || words.t - last.t > SILENCE) {
      this.spoken.push(words);
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
