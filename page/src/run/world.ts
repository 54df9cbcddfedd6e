/** Everything that is there at one moment: a keyframe with the events after it. */

import type {
  Happening,
  Headline,
  Keyframe,
  Place,
  ServerRow,
  StoreRow,
  Tally,
  UserRow,
} from "../engine/moments.ts";
import { isEmpty, isSame, places } from "./items.ts";
import type { Plate, Seat } from "./scene.ts";

const EMPTY: Seat = { believed: 0, exists: 0, truth: "none" };

/** The seats of a shop whose visitors come and go. */
const UNKNOWN_CROWD = 400;

export interface Dimensions {
  /** How many clients there are; 0 if they come and go. */
  readonly clients: number;
  /** Whether servers send copies of carts to each other. */
  readonly copies: boolean;
}

export class World {
  readonly seats: Seat[];
  readonly plates = new Map<string, Plate>();
  readonly clientsPerSeat: number;
  servers: ServerRow[];
  store: StoreRow;
  tally: Tally;
  headline: Headline;

  constructor(keyframe: Keyframe, { clients }: Dimensions) {
    this.clientsPerSeat = keyframe.clients_per_seat;
    const seats = Math.max(1, clients ? Math.ceil(clients / this.clientsPerSeat) : UNKNOWN_CROWD);
    this.seats = new Array(seats).fill(EMPTY);
    this.servers = [...keyframe.servers];
    this.store = keyframe.store;
    this.tally = keyframe.tally;
    this.headline = keyframe.headline;
    for (const row of keyframe.users ?? []) {
      this.seats[row[0]] = seatOf(row);
    }
    for (const [place, client, items] of keyframe.held ?? []) {
      this.plate(place)[client] = places(items);
    }
    for (const [seat, , carts, whole, split, gone] of keyframe.crowd ?? []) {
      this.seats[seat] = sharedSeat(carts, whole, split, gone, this.clientsPerSeat);
    }
    for (const [place, seat, carts] of keyframe.shares ?? []) {
      this.plate(place)[seat] = thirds(carts / this.clientsPerSeat);
    }
  }

  apply(event: Happening): void {
    switch (event.is) {
      case "user":
        this.seats[event.row[0]] = seatOf(event.row);
        return;
      case "holds":
        this.plate(event.place)[event.client] = places(event.items);
        return;
      case "server":
        this.servers[event.row.id] = event.row;
        return;
      case "load": {
        const { is: _is, t: _t, server, ...load } = event;
        const row = this.servers[server];
        if (row) {
          this.servers[server] = { ...row, ...load };
        }
        return;
      }
      case "store":
        this.store = event.row;
        return;
      case "tally":
        this.tally = event.tally;
    }
  }

  private plate(place: Place): Plate {
    const name = String(place);
    const known = this.plates.get(name);
    if (known) {
      return known;
    }
    const plate = new Uint8Array(this.seats.length);
    this.plates.set(name, plate);
    return plate;
  }
}

function seatOf(row: UserRow): Seat {
  const [, , , , , , , cart, exists, whole] = row;
  if (isEmpty(cart)) {
    return EMPTY;
  }
  const truth = isSame(cart, exists) ? (whole ? "whole" : "split") : "gone";
  return { believed: places(cart), exists: places(exists), truth };
}

/** A share as filled places: none only if there is nothing. */
function thirds(share: number): number {
  return share <= 0 ? 0 : share < 0.34 ? 0b001 : share < 0.67 ? 0b011 : 0b111;
}

/** A seat for several clients shows how many of them have a cart, and the worst that befell a good part of them. */
function sharedSeat(carts: number, whole: number, split: number, gone: number, clients: number): Seat {
  if (carts === 0) {
    return EMPTY;
  }
  const believed = thirds(carts / clients);
  const truth = gone * 2 > carts ? "gone" : (split + gone) * 2 > carts ? "split" : "whole";
  return { believed, exists: thirds((whole + split) / clients), truth };
}
