/** The frame of the page: header, title and caption, panes, film, and the transport below. */

import type { Caption } from "../app/caption.ts";
import type { Command } from "../app/keys.ts";
import type { Show } from "../app/show.ts";
import { STEPS } from "../app/tour.ts";
import { badge, clock, h, icon, mark, say } from "./dom.ts";
import { Film } from "./film.ts";
import { Pane, type PaneActions } from "./pane.ts";
import { Timeline } from "./timeline.ts";

export interface PageActions extends PaneActions {
  readonly do: (command: Command) => void;
  readonly seek: (t: number) => void;
  readonly step: (number: number) => void;
}

/** What takes longer than this is shown as work that can be stopped, in milliseconds. */
const PATIENCE = 700;

const SPEED_NAMES: Readonly<Record<number, string>> = { 0.25: "¼×", 0.5: "½×" };

export class Page {
  readonly timeline: Timeline;
  readonly film = new Film();
  panes: Pane[] = [];
  private readonly title = h("h1");
  private readonly caption = h("p.caption");
  private readonly status = h("p.sr", { role: "status", "aria-live": "polite" });
  private readonly problem = h("div.problem", { role: "alert", hidden: true });
  private readonly tabs = h("div.tabs", { role: "tablist", "aria-label": "Design" });
  private readonly stage = h("div.panes");
  private readonly picker: HTMLElement;
  private readonly pickerName = h("span");
  private readonly pickerPlace = h("span.place");
  private readonly play: HTMLButtonElement;
  private readonly now = h("b");
  private readonly of = h("span");
  private readonly speed = h("output");
  private readonly kill: HTMLElement;
  private readonly main: HTMLElement;
  private readonly top: HTMLElement;
  private readonly steps: readonly HTMLElement[];
  private readonly bet = h("div");
  private readonly next: HTMLButtonElement;
  private readonly nextName = h("span");
  private readonly progress = h("progress", { max: 1, value: 0, "aria-label": "Simulated" });
  private readonly busy: HTMLElement;
  private busySince = 0;
  private tab = 0;

  constructor(
    root: HTMLElement,
    private readonly actions: PageActions,
  ) {
    // What can be read on a button is its name; an icon alone is named by its hint.
    const button = (command: Command, hint: string, ...content: (Node | string)[]) => {
      const bare = content.every((child) => child instanceof SVGElement);
      const props = {
        type: "button",
        title: hint,
        "aria-label": bare ? hint : null,
        onclick: () => actions.do(command),
      };
      return h("button", props, ...content);
    };
    const key = (name: string) => h("kbd", { "aria-hidden": "true" }, name);
    const minor = (element: HTMLElement) => {
      element.classList.add("minor");
      return element;
    };
    const wide = (text: string) => h("span.wide", {}, text);
    this.picker = button("list", "Open another scenario", this.pickerPlace, this.pickerName, icon("down"));
    this.picker.classList.add("picker");
    this.steps = STEPS.map((step, index) =>
      h(
        "a",
        { href: `#tour/${index + 1}`, title: step.name },
        h("b", {}, index + 1),
        h("span", {}, step.name),
      ),
    );
    const logo = h(
      "a.logo",
      { href: "#tour/1", "aria-label": "whatcart" },
      icon("cart", ""),
      h("span.wide", {}, "what", h("b", {}, "cart?")),
    );
    this.top = h(
      "header.top",
      {},
      logo,
      h("nav.steps", { "aria-label": "Tour" }, ...this.steps),
      h("span.space"),
      this.picker,
      minor(button("knobs", "Change the shop’s settings", icon("knobs"))),
      minor(button("theme", "Light or dark", icon("theme"))),
      button("link", "Copy a link to this moment", wide("Copy link"), icon("link")),
      button("help", "Keys and help", icon("help")),
    );
    this.next = button("next-step", "Next step of the tour", "Next: ", this.nextName);
    this.next.classList.add("next");
    this.next.hidden = true;
    const stop = button("escape", "Stop waiting", "Stop");
    this.busy = h("div.busy", { hidden: true }, "Simulating …", this.progress, stop);
    this.main = h(
      "main",
      {},
      h("div", {}, this.problem, h("div.lead", {}, this.title, this.bet, this.next)),
      h("div", {}, h("div.lead", {}, this.caption, this.busy), this.status, this.tabs),
      this.stage,
      this.film.element,
    );
    this.play = button("toggle", "Play", icon("play"));
    this.play.classList.add("play");
    this.timeline = new Timeline(actions.seek);
    const acts = () => [
      button("kill-cart", "Crash the server that keeps the followed user’s cart", key("k"), "Crash"),
      button("fork", "One past, two futures", key("f"), "Fork"),
      button("deploy", "Deploy: stop and start every server", key("d"), "Deploy"),
      button("next-event", "Go to the next thing that happens", key("."), "Next"),
    ];
    this.kill = h("div.acts", {}, ...acts());
    const speeds = h(
      "div.speed",
      {},
      button("slower", "Slower", icon("minus")),
      this.speed,
      button("faster", "Faster", icon("plus")),
    );
    const bar = h(
      "footer.bar",
      {},
      this.play,
      h("div.clock", {}, this.now, this.of),
      this.timeline.element,
      speeds,
      this.kill,
    );
    this.main.append(
      h(
        "div.touch-only",
        {},
        ...acts(),
        button("slower", "Slower", icon("minus")),
        button("faster", "Faster", icon("plus")),
        button("results", "Results", "Results"),
        button("knobs", "Change the shop’s settings", "Settings"),
        button("editor", "Write a scenario of your own", "Write one"),
        button("theme", "Light or dark", "Light or dark"),
        button("next-step", "Next step of the tour", "Next step"),
      ),
    );
    root.replaceChildren(this.top, this.main, bar);
    new ResizeObserver(() => this.measure()).observe(this.stage);
  }

  open(show: Show, place: number): void {
    this.fail(null);
    say(this.pickerPlace, place > 0 ? `${place}` : "");
    say(this.pickerName, show.scenario.name);
    this.setTitle(show.scenario.title);
    document.title = `${show.scenario.name} · whatcart`;
    this.panes = show.runs.map((run, index) => new Pane(run, index, this.actions));
    this.stage.classList.toggle("single", this.panes.length === 1);
    this.stage.classList.toggle("several", this.panes.length > 2);
    this.stage.classList.toggle("four", this.panes.length === 4);
    this.main.classList.toggle("many-designs", this.panes.length > 2);
    this.stage.replaceChildren(...this.panes.map((pane) => pane.element));
    this.tabs.replaceChildren(...this.panes.map((pane) => pane.tab));
    this.panes.forEach((pane, index) => {
      pane.tab.addEventListener("click", () => this.select(index));
    });
    this.select(Math.min(this.tab, this.panes.length - 1));
    this.film.show(show.runs);
    this.timeline.open(show);
  }

  /** The question at the end of a title stands out. */
  private setTitle(title: string): void {
    const split = /^(.*[.:!]\s+)([^.!]*\?)$/.exec(title);
    this.title.replaceChildren(...(split ? [split[1]!, h("em", {}, split[2]!)] : [title]));
  }

  /** Says that nothing is simulated here. */
  setRecording(recording: boolean): void {
    if (recording) {
      this.top.append(
        h("p.recording", {}, h("b", {}, "Recording"), ": the simulation cannot run in this browser."),
      );
    }
  }

  /** Marks the step of the tour. */
  setStep(number: number | null): void {
    const next = number === null ? undefined : STEPS[number];
    this.next.hidden = next === undefined;
    say(this.nextName, next?.name ?? "");
    this.steps.forEach((step, index) => {
      mark(step, "aria-current", index + 1 === number ? "step" : null);
    });
  }

  /** What came out of a guess. */
  setBet(bet: HTMLElement | null): void {
    this.bet.replaceChildren(...(bet ? [bet] : []));
    if (bet) {
      this.speak(bet.textContent ?? "");
    }
  }

  /** Where two futures part, and how many carts are lost in one of them only. */
  setDiffering(since: number, carts: number, list: () => void): void {
    const text = `Two futures since ${clock(since, 1)}: `;
    const words = carts === 1 ? "1 cart differs" : `${carts} carts differ`;
    if (this.bet.textContent !== text + words) {
      const button = h("button", { type: "button", onclick: list }, words);
      button.disabled = carts === 0;
      this.bet.replaceChildren(h("p.bet", {}, text, button));
    }
  }

  /** Which design a narrow screen shows. */
  private select(tab: number): void {
    this.tab = Math.max(0, tab);
    this.panes.forEach((pane, index) => {
      pane.element.classList.toggle("on", index === this.tab);
      mark(pane.tab, "aria-selected", String(index === this.tab));
      pane.measure();
    });
  }

  measure(): void {
    for (const pane of this.panes) {
      pane.measure();
    }
  }

  setCaption(caption: Caption | null, otherwise: string): void {
    const text = caption ? caption.parts.map((part) => part.text).join(" ") : otherwise;
    if (this.caption.dataset.key === text) {
      return;
    }
    this.caption.dataset.key = text;
    const parts = caption?.parts ?? [];
    // Who says it matters unless all do.
    const several = parts.some((part) => part.runs.length < this.panes.length);
    this.caption.replaceChildren(
      ...(caption
        ? parts.flatMap((part) => [...(several ? part.runs.map(badge) : []), ` ${part.text} `])
        : [otherwise]),
    );
  }

  speak(text: string): void {
    say(this.status, text);
  }

  fail(text: string | null, retry?: () => void): void {
    this.problem.hidden = text === null;
    this.problem.replaceChildren(
      text ?? "",
      ...(retry ? [h("button", { type: "button", onclick: retry }, "Try again")] : []),
    );
  }

  refreshTransport(show: Show, playing: boolean, speed: number, slow: boolean): void {
    const label = playing ? "Pause" : "Play";
    if (this.play.title !== label) {
      this.play.title = label;
      mark(this.play, "aria-label", label);
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
    }
    say(this.now, clock(show.t, 1));
    say(this.of, show.isBusy ? `simulating ${Math.floor(100 * show.progress)} %` : `of ${clock(show.end)}`);
    this.refreshBusy(show);
    const name = SPEED_NAMES[speed] ?? `${speed}×`;
    const key = `${name} ${slow}`;
    if (this.speed.dataset.key !== key) {
      this.speed.dataset.key = key;
      this.speed.replaceChildren(name, ...(slow ? [h("small", {}, "slow")] : []));
    }
    this.timeline.describe();
  }

  /** What takes long shows how far it is, and can be given up. */
  private refreshBusy(show: Show): void {
    const now = performance.now();
    this.busySince = show.isBusy ? this.busySince || now : 0;
    this.busy.hidden = this.busySince === 0 || now - this.busySince < PATIENCE;
    this.progress.value = show.progress;
  }

  get isFilmLarge(): boolean {
    return this.film.element.classList.contains("large");
  }

  enlargeFilm(): void {
    this.film.element.classList.toggle("large");
    this.measure();
  }

  toast(text: string): void {
    const note = h("p.toast", {}, text);
    document.body.append(note);
    this.speak(text);
    setTimeout(() => note.remove(), 2600);
  }
}
