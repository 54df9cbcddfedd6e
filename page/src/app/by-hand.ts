/** What is done to a show by hand: faults, and servers that come back. It can be put into a link. */

import type { Fault } from "../engine/engine.ts";
import type { ServerRow } from "../engine/moments.ts";
import type { Scene } from "../run/scene.ts";
import type { Deed } from "./link.ts";
import { inWords, type Show } from "./show.ts";

const isDead = ({ state }: ServerRow): boolean => state === "down" || state === "silent";

/** A link says milliseconds. */
const inLinks = (t: number): number => Math.floor(t * 1000) / 1000;

export class ByHand {
  /** What was done, and at which moment of the show; deeds of a link are given at its start. */
  private deeds: (Deed & { readonly given: number })[] = [];

  constructor(
    private readonly show: Show,
    private readonly tell: (problem: string) => void,
  ) {}

  get all(): readonly Deed[] {
    return this.deeds.map(({ at, fault }) => ({ at, fault }));
  }

  /** Does what a link says, each deed in its time. */
  async open(deeds: readonly Deed[]): Promise<void> {
    this.deeds = deeds.map((deed) => ({ ...deed, given: 0 }));
    for (const { at, fault } of deeds) {
      await this.show.inject({ ...fault, at: `${Math.round(at * 1000)}ms` });
    }
  }

  async inject(fault: Fault): Promise<void> {
    const { show } = this;
    try {
      const at = inLinks(show.t);
      await show.inject(fault, at);
      this.deeds = [...this.deeds.filter(({ given }) => given <= at), { at, fault, given: at }];
    } catch (problem) {
      this.tell(inWords(problem));
    }
  }

  /** A server was pressed: it dies, or an empty one takes its place. */
  async press(server: ServerRow): Promise<void> {
    const { name } = server;
    await this.inject(isDead(server) ? { revive: name } : { crash: name });
  }

  /** Crashes the server that keeps the followed user's cart; the first one if none does. */
  async killCart({ plates, servers, followed }: Scene): Promise<void> {
    const holder = [...plates].find(([place, plate]) => plate[followed] && /^\d+$/.test(place));
    const server = servers[Number(holder?.[0] ?? 0)];
    if (server && !isDead(server)) {
      await this.inject({ crash: server.name });
    }
  }
}
