/** What there is to see at one moment. Everything is computed from what the engine told; nothing here is drawn yet. */

import type { Headline, ServerRow, StoreRow, Tally } from "../engine/moments.ts";

/** What a seat's owner believes, against what exists. The bits stand for up to three places in a cart. */
export interface Seat {
  /** Which places the user believes to be filled. */
  readonly believed: number;
  /** Which of those exist in some copy that still counts. */
  readonly exists: number;
  readonly truth: "none" | "whole" | "split" | "gone";
  /** If the seat is shared by several clients: by how much each stripe is filled, from 0 to 1. */
  readonly share?: number;
}

/** What one place remembers, seat by seat: bits as in {@link Seat}. */
export type Plate = Uint8Array;

/** A point on a message's way. */
export type Stop =
  | { readonly at: "seat"; readonly seat: number }
  /** Where it enters the balancer. */
  | { readonly at: "gate"; readonly seat: number }
  | { readonly at: "port"; readonly server: number }
  | { readonly at: "server"; readonly server: number; readonly seat: number }
  | { readonly at: "door"; readonly server: number; readonly seat: number };

export interface Message {
  readonly id: string;
  readonly kind: "look" | "add" | "buy";
  readonly seat: number;
  readonly stops: readonly Stop[];
  /** How much of the way lies behind it, from 0 to 1. */
  readonly progress: number;
  readonly followed: boolean;
  /** How many times 64 bytes of tokens it carries. */
  readonly wagons: number;
  /** Whether the first server turned it away. */
  readonly bounced: boolean;
}

/** A server asks the store: out until one half, then back. */
export interface StoreCall {
  readonly server: number;
  readonly seat: number;
  readonly progress: number;
  readonly bounced: boolean;
}

/** A server sends a changed cart to another one. */
export interface Copy {
  readonly from: number;
  readonly to: number;
  readonly seat: number;
  readonly progress: number;
}

/** A cart on its way into the bin. */
export interface Falling {
  readonly seat: number;
  /** Where it comes from: a place that held it, or its user's seat. */
  readonly from: string;
  /** From 0 (still there) to 1 (in the bin). */
  readonly progress: number;
  readonly noticed: boolean;
}

/** Overturned carts, by whether their users have noticed: the checkout did not charge everything. */
export interface Bin {
  readonly noticed: number;
  readonly unnoticed: number;
  /** Those that have not arrived yet, in order. */
  readonly falling: readonly Falling[];
}

export interface Bubble {
  readonly server: number;
  readonly seat: number;
  readonly text: string;
  readonly age: number;
}

export interface Scene {
  readonly now: number;
  readonly seats: readonly Seat[];
  /** By place: `0`, `1`, … for servers, `store`, `replica-0`, …, `token`. */
  readonly plates: ReadonlyMap<string, Plate>;
  /** The seat of the followed user. */
  readonly followed: number;
  readonly followedUser: number;
  readonly clientsPerSeat: number;
  readonly servers: readonly ServerRow[];
  readonly store: StoreRow;
  readonly tally: Tally;
  readonly headline: Headline;
  readonly messages: readonly Message[];
  readonly calls: readonly StoreCall[];
  readonly copies: readonly Copy[];
  /** Where there are too many requests to be drawn one by one: how many each server is busy with or was sent lately. */
  readonly flows: ReadonlyMap<number, number>;
  /** Whether parts of the followed user's cart may be in several servers. */
  readonly scatters: boolean;
  readonly bin: Bin;
  readonly bubbles: readonly Bubble[];
}
