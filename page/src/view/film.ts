/** The film of one user: what they did, what they were told, and what the server saw in their cart. */

import type { Run } from "../app/show.ts";
import type { Frame, ItemSet } from "../engine/moments.ts";
import { itemsOf } from "../run/items.ts";
import { clock, h, icon, say } from "./dom.ts";

const DRAWN = ["mug", "lamp", "pen"];
/** More items than this are a number. */
const MOST = 6;

function slots(cart: ItemSet, missing: readonly number[], className: string, what: string): HTMLElement {
  const items = itemsOf(cart);
  const row = h("span.slots", {
    role: "img",
    "aria-label": `${what}: ${items.map(nameOf).join(", ") || "nothing"}`,
  });
  row.classList.add(className);
  const all = [...new Set([...items, ...missing])].sort((a, b) => a - b);
  if (all.length > MOST) {
    row.append(h("span.count", {}, `${items.length} items`));
    return row;
  }
  for (const item of all) {
    row.append(icon(DRAWN[item - 1] ?? "thing", items.includes(item) ? "in" : "missing"));
  }
  return row;
}

const nameOf = (item: number) => DRAWN[item - 1] ?? `item ${item}`;

/** `mug, lamp` */
export const namesOf = (cart: ItemSet): string => itemsOf(cart).map(nameOf).join(", ");

function frameOf(frame: Frame, now: boolean, harmless: (t: number) => boolean): HTMLElement {
  if (frame.is === "skipped") {
    return h("li.cut", {}, frame.words);
  }
  if (frame.is === "broke") {
    const element = h("li.cut", {}, `${clock(frame.t)} ${frame.words}`);
    element.classList.toggle("harm", !harmless(frame.t));
    return element;
  }
  const added = itemsOf(frame.added);
  const seen = frame.cart === null ? added : itemsOf(frame.cart);
  const missing = frame.wrong ? added.filter((item) => !seen.includes(item)) : [];
  const short = frame.server.replace(/^(s|i)\w*-(\d+).*/, "$1-$2");
  const quiet = frame.cart === null && added.length === 0;
  const time = h("time", {}, clock(frame.t, 1));
  const action = h("b", {}, frame.action);
  const server = frame.server ? h("span.on", { title: frame.server }, short) : null;
  const kept =
    frame.cart === null ? h("span.slots") : slots(frame.cart, missing, "kept", "in the server’s cart");
  const element = quiet
    ? h(
        "li.frame",
        {},
        h("p", {}, time, server),
        action,
        frame.answer === "ok" ? null : h("em", {}, frame.answer),
      )
    : h(
        "li.frame",
        {},
        h("p", {}, time, action, server),
        h("div", {}, kept, slots(frame.added, [], "added", "added so far")),
        h("em", {}, frame.answer),
      );
  element.classList.toggle("bad", frame.wrong);
  element.classList.toggle("slim", quiet);
  element.classList.toggle("now", now);
  return element;
}

class Reel {
  readonly element: HTMLElement;
  private readonly frames = h("ol.frames", { tabindex: 0, "aria-label": "What the followed user did" });
  private readonly name = h("b");
  private key = "";

  constructor(private readonly run: Run) {
    const { design, branch } = run;
    const number = h("span.no", {}, branch ? `${design.number}′` : design.number);
    const rows = h("small", {}, h("span", {}, "server’s cart"), h("span", {}, "has added"));
    this.element = h("div.reel", {}, h("div.who", {}, number, this.name, rows), this.frames);
    this.element.classList.toggle("branch", branch !== null);
    this.element.classList.add(`of-${Math.min(7, design.number)}`);
  }

  refresh(t: number, user: number): void {
    const frames = this.run.film(t);
    const last = frames.findLast((frame) => frame.is === "did");
    const fresh = last?.is === "did" && t - last.t < 4;
    const key = `${user} ${frames.length} ${last?.is === "did" ? last.t : ""} ${fresh} ${frames[0]?.is === "did" ? frames[0].t : ""}`;
    if (key === this.key) {
      return;
    }
    this.key = key;
    say(this.name, `User ${user}`);
    const shown = frames.map((frame) => frameOf(frame, fresh && frame === last, (at) => this.harmless(at)));
    this.frames.replaceChildren(...(shown.length > 0 ? shown : [h("li.quiet", {}, "has not come yet")]));
    this.frames.scrollLeft = this.frames.scrollWidth;
  }

  /** Whether what breaks is a server that remembers nothing. */
  private harmless(t: number): boolean {
    const { design, timeline } = this.run;
    const broke = timeline.find(({ at, struck }) => Math.abs((struck ?? at) - t) < 0.001);
    return !design.servers_remember && broke !== undefined && broke.server !== null;
  }
}

export class Film {
  readonly element = h("section.film", { "aria-label": "One user, in both designs" });
  private reels: Reel[] = [];

  show(runs: readonly Run[]): void {
    this.reels = runs.map((run) => new Reel(run));
    this.element.replaceChildren(...this.reels.map((reel) => reel.element));
  }

  refresh(t: number, user: number): void {
    for (const reel of this.reels) {
      reel.refresh(t, user);
    }
  }
}
