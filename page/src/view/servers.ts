/** The servers of a pane as cards, and the balancer's ports beside them. */

import type { DesignInfo, ServerRow } from "../engine/moments.ts";
import { hasPlates } from "../run/homes.ts";
import { clock, h, mark, say } from "./dom.ts";

/** More servers than this are a strip of cells. */
const CARDS = 12;

interface Card {
  readonly button: HTMLButtonElement;
  readonly note: HTMLElement;
  readonly ills: HTMLElement;
  readonly verb: HTMLElement;
  readonly port: HTMLElement;
}

export interface ServerActions {
  readonly press: (server: ServerRow) => void;
  readonly menu: (server: ServerRow) => void;
}

export class Servers {
  readonly cards = h("div.servers");
  readonly ports = h("div.ports", { "data-place": "balancer" });
  readonly balancer: HTMLElement;
  private readonly known = new Map<number, Card>();
  private shown = "";
  /** Whether there is no room for words in the ports. */
  private narrow = false;
  /** Whether there is no room for what is as usual. */
  private brief = false;
  private rows: readonly ServerRow[] = [];

  constructor(
    private readonly design: DesignInfo,
    private readonly actions: ServerActions,
  ) {
    const name = design.serverless ? "platform" : "balancer";
    this.balancer = h("div.balancer", {}, h("h3", {}, name), this.ports);
  }

  /** Brings cards and ports up to date; returns whether their places have changed. */
  update(all: readonly ServerRow[], now: number): boolean {
    this.rows = all;
    const rows = this.ordered(all.filter((row) => row.state !== "retired"));
    const shown = rows.map((row) => row.id).join();
    const moved = shown !== this.shown;
    if (moved) {
      this.shown = shown;
      this.arrange(rows);
    }
    for (const row of rows) {
      this.refresh(this.known.get(row.id)!, row, now);
    }
    if (rows.length > CARDS) {
      const up = rows.filter((row) => (this.design.serverless ? row.state : row.believed) === "up").length;
      say(this.ports.firstElementChild!, `${up} up`);
    }
    return moved;
  }

  private ordered(rows: readonly ServerRow[]): readonly ServerRow[] {
    return this.design.regions.length > 0 ? rows.toSorted((a, b) => (a.region ?? 0) - (b.region ?? 0)) : rows;
  }

  private arrange(rows: readonly ServerRow[]): void {
    const many = rows.length > CARDS;
    const light = !hasPlates(this.design);
    const columns = many ? "" : columnsFor(rows.length, light, this.design.regions.length > 0);
    this.narrow = columns === "two" || columns === "three";
    this.brief = columns === "rows";
    this.cards.className = `servers ${many ? "cells" : columns}`;
    this.balancer.className = `balancer ${many ? "many" : columns}`;
    const cards = rows.map((row) => {
      const card = this.known.get(row.id) ?? this.make(row);
      this.known.set(row.id, card);
      card.button.classList.toggle("tight", rows.length > 5);
      card.button.classList.toggle("light", light);
      return { row, card };
    });
    this.cards.replaceChildren(
      ...this.banded(
        cards.map(({ row, card }) => ({ row, element: card.button })),
        true,
      ),
    );
    const ports = cards.map(({ row, card }) => ({ row, element: card.port }));
    this.ports.replaceChildren(...(many ? [h("p", {})] : this.banded(ports, false)));
  }

  /** A band for each region that has servers; without regions they stand as they are. */
  private banded(
    all: readonly { readonly row: ServerRow; readonly element: HTMLElement }[],
    named: boolean,
  ): readonly HTMLElement[] {
    const { regions } = this.design;
    if (regions.length === 0) {
      return all.map(({ element }) => element);
    }
    return regions.flatMap((name, region) => {
      const here = all.filter(({ row }) => row.region === region).map(({ element }) => element);
      if (here.length === 0) {
        return [];
      }
      const band = h(
        "div.band",
        {},
        h("h4", named ? {} : { "aria-hidden": "true" }, named ? name : ""),
        h("div", {}, ...here),
      );
      band.style.flexGrow = String(here.length);
      return [band];
    });
  }

  private make(row: ServerRow): Card {
    const note = h("small");
    const ills = h("small.ills");
    const verb = h("span.sr");
    const work = h("span.work", { "data-place": `work-${row.id}` });
    const memory = h("div.memory.plate", { "data-place": `memory-${row.id}` });
    const press = () => this.actions.press(this.rows[row.id]!);
    const menu = (event: Event) => {
      event.preventDefault();
      this.actions.menu(this.rows[row.id]!);
    };
    const props = { type: "button", "data-place": `server-${row.id}`, onclick: press, oncontextmenu: menu };
    const button = h(
      "button.server",
      props,
      h("h3", {}, nameOf(row.name), " ", note, ills, verb),
      memory,
      work,
    );
    holdable(button, () => this.actions.menu(this.rows[row.id]!));
    return { button, note, ills, verb, port: h("span.port", { "data-place": `port-${row.id}` }) };
  }

  private refresh(card: Card, row: ServerRow, now: number): void {
    const dead = row.state === "down" || row.state === "silent";
    const sick = !dead && (row.slow > 1 || row.failing > 0 || row.cut_off);
    const { classList } = card.button;
    classList.toggle("dead", dead);
    classList.toggle("sick", sick);
    classList.toggle("draining", row.state === "draining");
    const ills = illsOf(row);
    say(card.note, this.note(row, dead, ills, now));
    card.note.classList.toggle("usual", isUsual(row) && !hasPlates(this.design));
    say(card.ills, ills);
    say(card.verb, `. Press to ${dead ? "revive" : "crash"} it`);
    this.refreshPort(card.port, row);
  }

  /** What the balancer believes of a server. A platform has nothing to believe: it runs its instances itself. */
  private refreshPort(port: HTMLElement, row: ServerRow): void {
    const belief = this.design.serverless ? row.state : row.believed;
    const [symbol, word, look] = BELIEFS[belief] ?? ["○", "down", "down"];
    port.className = `port ${row.wrong ? "wrong" : look}`;
    say(port, this.narrow ? symbol : row.wrong ? `${symbol} “${word}”` : `${symbol} ${word}`);
    const wrong = row.wrong ? ", which is not true" : "";
    const who = this.design.serverless ? "the platform says" : "the balancer believes";
    mark(port, "aria-label", `${who} ${row.name} is ${word}${wrong}`);
    mark(port, "role", "img");
  }

  private note(row: ServerRow, dead: boolean, ills: string, now: number): string {
    // Where there is little room, what is usual goes without saying.
    const usual = isUsual(row) && !hasPlates(this.design) && (this.brief || ills !== "");
    const state = usual ? null : dead ? `✕ ${row.words}` : row.words;
    const drains = row.leaves_by !== null && row.state === "draining";
    const leaves = drains && `◷ ${clock(Math.max(0, row.leaves_by! - now))}`;
    return [leaves, state].filter(Boolean).join(" · ");
  }
}

/** By state: a symbol, a word, and how it looks. */
const BELIEFS: Readonly<Record<string, readonly [string, string, string]>> = {
  up: ["●", "up", ""],
  draining: ["◐", "drain", "draining"],
  terminating: ["◐", "leaves", "draining"],
  booting: ["○", "new", "idle"],
};

function columnsFor(count: number, light: boolean, regions: boolean): string {
  if (light) {
    return count > 4 || regions ? "rows" : "";
  }
  return regions || count > 10 ? "three" : count > 5 ? "two" : "";
}

const isUsual = (row: ServerRow): boolean => row.state === "up" && !row.cut_off && !row.new;

const illsOf = (row: ServerRow): string =>
  [row.slow > 1 && `${row.slow}× slower`, row.failing > 0 && "fails requests"].filter(Boolean).join(" · ");

/** `server-3`, or `s-3` where that is too wide; the style sheet decides. */
function nameOf(name: string): HTMLElement {
  const [, word = name, number = ""] = /^(.*?)(-\d+)$/.exec(name) ?? [];
  const brief = h("span.brief", { "aria-hidden": "true" }, word.slice(0, 1));
  return h("b", {}, h("span.long", {}, word), brief, number);
}

/** A long press opens a menu, where there is no right button. */
function holdable(button: HTMLElement, menu: () => void): void {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  button.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") {
      timer = window.setTimeout(() => {
        button.addEventListener("click", (click) => click.stopImmediatePropagation(), {
          capture: true,
          once: true,
        });
        menu();
      }, 550);
    }
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    button.addEventListener(name, stop);
  }
}
