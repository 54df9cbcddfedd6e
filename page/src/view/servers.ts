/** The servers of a pane as cards, and the balancer's ports beside them. */

import type { DesignInfo, ServerRow } from "../engine/moments.ts";
import { h, mark, say } from "./dom.ts";

/** More servers than this are a strip of cells. */
const CARDS = 12;

interface Card {
  readonly button: HTMLButtonElement;
  readonly name: HTMLElement;
  readonly note: HTMLElement;
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
  private crowded = false;
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
      const up = rows.filter((row) => row.believed === "up").length;
      say(this.ports.firstElementChild!, `${up} up`);
    }
    return moved;
  }

  /** Whether servers keep carts, and so have a plate to show. */
  private get remembers(): boolean {
    const { cart } = this.design.homes;
    return cart === "server-memory" || cart === "replicated-memory";
  }

  private ordered(rows: readonly ServerRow[]): readonly ServerRow[] {
    return this.design.regions.length > 0 ? rows.toSorted((a, b) => (a.region ?? 0) - (b.region ?? 0)) : rows;
  }

  private arrange(rows: readonly ServerRow[]): void {
    const count = rows.length;
    const many = count > CARDS;
    const light = !this.remembers;
    const columns = many
      ? ""
      : light
        ? count > 4
          ? "rows"
          : ""
        : count > 10
          ? "three"
          : count > 5
            ? "two"
            : "";
    this.narrow = columns === "two" || columns === "three";
    this.brief = columns === "rows";
    this.crowded = count > 5;
    this.cards.className = `servers ${many ? "cells" : columns}`;
    this.balancer.className = `balancer ${many ? "many" : columns}`;
    const cards = rows.map((row) => {
      const card = this.known.get(row.id) ?? this.make(row);
      this.known.set(row.id, card);
      card.button.classList.toggle("tight", count > 5);
      card.button.classList.toggle("light", light);
      return card;
    });
    this.cards.replaceChildren(...cards.map((card) => card.button));
    this.ports.replaceChildren(...(many ? [h("p", {})] : cards.map((card) => card.port)));
  }

  private make(row: ServerRow): Card {
    const name = h("b", {}, row.name);
    const note = h("small");
    const verb = h("span.sr");
    const work = h("span.work", { "data-place": `work-${row.id}` });
    const memory = h("div.memory.plate", { "data-place": `memory-${row.id}` });
    const press = () => this.actions.press(this.rows[row.id]!);
    const menu = (event: Event) => {
      event.preventDefault();
      this.actions.menu(this.rows[row.id]!);
    };
    const props = { type: "button", "data-place": `server-${row.id}`, onclick: press, oncontextmenu: menu };
    const button = h("button.server", props, h("h3", {}, name, " ", note, verb), memory, work);
    holdable(button, () => this.actions.menu(this.rows[row.id]!));
    return { button, name, note, verb, port: h("span.port", { "data-place": `port-${row.id}` }) };
  }

  private refresh(card: Card, row: ServerRow, now: number): void {
    const dead = row.state === "down" || row.state === "silent";
    const sick = !dead && (row.slow > 1 || row.failing > 0 || row.cut_off);
    const { classList } = card.button;
    classList.toggle("dead", dead);
    classList.toggle("sick", sick);
    classList.toggle("draining", row.state === "draining");
    say(card.name, this.crowded ? row.name.replace("instance-", "i-") : row.name);
    const note = this.note(row, dead, now);
    say(card.note, note);
    say(card.verb, `. Press to ${dead ? "revive" : "crash"} it`);
    const { port } = card;
    const draining = row.believed === "draining";
    const up = row.believed === "up";
    port.className = `port${row.wrong ? " wrong" : draining ? " draining" : up ? "" : row.believed === "booting" ? " idle" : " down"}`;
    const symbol = draining ? "◐" : up ? "●" : "○";
    const word = draining ? "drain" : up ? "up" : row.believed === "booting" ? "new" : "down";
    say(port, this.narrow ? symbol : row.wrong ? `${symbol} “${word}”` : `${symbol} ${word}`);
    mark(
      port,
      "aria-label",
      `the balancer believes ${row.name} is ${word}${row.wrong ? ", which is not true" : ""}`,
    );
    mark(port, "role", "img");
  }

  private note(row: ServerRow, dead: boolean, now: number): string {
    const region = row.region === null ? null : this.design.regions[row.region];
    const ills = [row.slow > 1 && `${row.slow}× slower`, row.failing > 0 && "fails requests"];
    const healthy = row.state === "up" && !row.cut_off && !row.new && !ills.some(Boolean);
    const state = this.brief && healthy ? null : dead ? `✕ ${row.words}` : row.words;
    const leaves =
      row.leaves_by !== null &&
      row.state === "draining" &&
      `${Math.ceil(Math.max(0, row.leaves_by - now))} s`;
    return [region, state, ...ills, leaves].filter(Boolean).join(" · ");
  }
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
