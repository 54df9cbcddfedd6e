/**
 * What the engine tells of a run: a keyframe, and the events that follow it. docs/page-calls.md describes both.
 * Times are seconds of virtual time; clients, servers and seats are counted from 0.
 */

/** Bit n - 1 is item n. Sets that do not fit into 53 bits come as digits. */
export type ItemSet = number | string;

/** A server by its index, or `store`, `objects`, `token`, `replica-0`, … */
export type Place = number | string;

/** What a request asks for: `"browse"`, or `{ "add": 2 }`. */
export type Command = string | Readonly<Record<string, number>>;

/** `[client, user, tab, visit, step, doing, until, cart, exists, whole, server]` */
export type UserRow = readonly [
  client: number,
  user: number,
  tab: number,
  visit: number,
  step: number,
  doing: "away" | "thinking" | "waiting" | "pausing",
  until: number | null,
  cart: ItemSet,
  exists: ItemSet,
  whole: boolean,
  server: number | null,
];

/** When a seat stands for several clients: `[seat, in the shop, with a cart, whole, split, gone]` */
export type SeatRow = readonly [number, number, number, number, number, number];

export type ServerState = "up" | "booting" | "draining" | "terminating" | "down" | "silent" | "retired";

/** What a server does and holds: what changes all the time. */
export interface Load {
  readonly busy: number;
  readonly queued: number;
  readonly in_flight: number;
  readonly carts: number;
  readonly logins: number;
  readonly files: number;
  readonly bound_users: number;
  readonly words: string;
}

export interface ServerRow extends Load {
  readonly id: number;
  readonly name: string;
  readonly state: ServerState;
  readonly believed: ServerState;
  readonly eligible: boolean;
  readonly wrong: boolean;
  readonly cut_off: boolean;
  readonly new: boolean;
  readonly process: number;
  readonly slow: number;
  readonly failing: number;
  readonly region: number | null;
  readonly leaves_by: number | null;
  readonly ready_at: number | null;
  readonly workers: number;
}

export interface StoreRow {
  readonly down: boolean;
  readonly calls: number;
  readonly free_connections: number | null;
  readonly line: number;
  readonly carts: number;
  readonly logins: number;
  readonly objects: number;
  readonly in_tokens: number;
}

export interface Tally {
  readonly opened: number;
  readonly open: number;
  readonly intact: number;
  readonly lost: number;
  readonly lost_by: Readonly<Record<string, number>>;
  readonly gone: number;
  readonly gone_by: Readonly<Record<string, number>>;
  readonly split: number;
  readonly overcharged: number;
  readonly abandoned: number;
  readonly unknown: number;
  readonly lost_or_gone: number;
}

export interface Entry {
  readonly label: string;
  readonly value: string;
}

export interface Headline {
  readonly lost: Entry;
  readonly share: Entry;
  readonly price: Entry;
  /** What else went wrong, if anything. */
  readonly also: readonly Entry[];
}

export interface Keyframe {
  readonly t: number;
  readonly clients_per_seat: number;
  readonly servers: readonly ServerRow[];
  readonly store: StoreRow;
  readonly users?: readonly UserRow[];
  readonly held?: readonly (readonly [Place, number, ItemSet])[];
  readonly crowd?: readonly SeatRow[];
  /** How many carts, or parts of carts, of a seat's clients are in a place. */
  readonly shares?: readonly (readonly [Place, number, number])[];
  readonly tally: Tally;
  readonly headline: Headline;
}

export type Happening = { readonly t: number } & (
  | { readonly is: "began"; readonly client: number; readonly user: number; readonly visit: number }
  | { readonly is: "left"; readonly client: number; readonly finished: boolean }
  | { readonly is: "sent"; readonly id: string; readonly what: Command; readonly to: number | null }
  | { readonly is: "retried"; readonly id: string; readonly from: number; readonly to: number | null }
  | {
      readonly is: "served";
      readonly id: string;
      readonly by: number;
      readonly taken: number;
      readonly cart: ItemSet | null;
      readonly calls: number;
      readonly bytes: number;
      readonly copies: number;
      /** When the server does not know a cart that its user has. */
      readonly words?: string;
    }
  | { readonly is: "dropped"; readonly id: string; readonly by: number | null }
  | {
      readonly is: "told";
      readonly id: string;
      readonly ok: boolean;
      readonly outcome: string;
      readonly words?: string;
    }
  | { readonly is: "holds"; readonly place: Place; readonly client: number; readonly items: ItemSet }
  | { readonly is: "user"; readonly row: UserRow }
  | { readonly is: "server"; readonly row: ServerRow }
  | ({ readonly is: "load"; readonly server: number } & Load)
  | { readonly is: "store"; readonly row: StoreRow }
  | { readonly is: "struck"; readonly fault: number }
  | { readonly is: "gone"; readonly client: number; readonly items: ItemSet; readonly cause: string }
  | { readonly is: "lost"; readonly client: number; readonly items: ItemSet; readonly cause: string }
  | { readonly is: "tally"; readonly tally: Tally }
  | { readonly is: "say"; readonly about: About; readonly text: string }
);

export type About = "fault" | "belief" | "pool" | "loss" | "user" | "end";

export interface TimelineEntry {
  readonly fault: number;
  readonly name: string;
  /** `server-2 crashes` */
  readonly words: string;
  readonly server: number | null;
  readonly at: number;
  readonly struck: number | null;
  readonly injected: boolean;
  readonly spared: boolean;
}

/** A frame of the film of one user's visit. */
export type Frame =
  | {
      readonly is: "did";
      readonly t: number;
      readonly action: string;
      readonly server: string;
      readonly answer: string;
      readonly cart: ItemSet | null;
      readonly added: ItemSet;
      readonly missing: ItemSet | null;
      readonly wrong: boolean;
    }
  | { readonly is: "broke"; readonly t: number; readonly words: string }
  | { readonly is: "skipped"; readonly words: string };

export interface ScenarioInfo {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly varies: string;
  readonly lesson: string;
  readonly next: string | null;
  readonly patched: boolean;
  readonly seed: number;
  readonly duration: number;
  readonly predict: {
    readonly ask: string;
    readonly choices: readonly string[];
    readonly answer: number | null;
    readonly why: string;
  } | null;
  readonly designs: readonly string[];
}

export interface DesignInfo {
  /** Counted from 1. */
  readonly number: number;
  readonly name: string;
  readonly homes: { readonly cart: string; readonly session: string; readonly upload: string | null };
  readonly servers_remember: boolean;
  readonly store: boolean;
  readonly users: number | null;
  readonly rate: number | null;
  readonly serverless: boolean;
  readonly regions: readonly string[];
  readonly items: readonly string[];
  readonly end: number;
  readonly timeline: readonly TimelineEntry[];
}
