/** What the page shows, and what can be done with it. */

import { type Calls, Refused, type ScenarioEntry } from "../engine/engine.ts";
import type { ServerRow } from "../engine/moments.ts";
import type { Scene } from "../run/scene.ts";
import { sceneAt } from "../run/stage.ts";
import { open, openHelp, openMenu, openScenarios, serverFaults } from "../view/dialogs.ts";
import { clock, h } from "../view/dom.ts";
import { EXAMPLE, openEditor } from "../view/editor.ts";
import { ask, reveal } from "../view/guess.ts";
import { openKnobs, type Settings } from "../view/knobs.ts";
import { openMany } from "../view/many.ts";
import { openDesignMenu, openForkMenu } from "../view/menus.ts";
import { Page } from "../view/page.ts";
import { openResults } from "../view/results.ts";
import { ByHand } from "./by-hand.ts";
import { captionAt, inOneText, Narrator, weightOf } from "./caption.ts";
import { Guess } from "./guess.ts";
import { type Command, commandOf } from "./keys.ts";
import { commandLine, FIRST, type Link, readLink, tourLink, writeLink } from "./link.ts";
import { Player } from "./player.ts";
import { remembered, toggleTheme } from "./settings.ts";
import { type Difference, inWords, type Run, Show } from "./show.ts";
import { designsOf, STEPS } from "./tour.ts";

/** How long before the first fault the clock starts, in seconds. */
const RUN_UP = 8;
/** What a scenario is called that was written here. */
const OWN = "my-own";
/** Texts are brought up to date this often, in milliseconds. */
const TEXTS = 100;

export class App {
  private readonly page: Page;
  private readonly player: Player;
  private readonly narrator: Narrator;
  private entries: readonly ScenarioEntry[] = [];
  private link: Link = FIRST;
  private show: Show | null = null;
  private hand: ByHand | null = null;
  private letters = remembered("letters") !== "off";
  private drawn = { t: -1, at: 0, version: -1 };
  private version = 0;
  private told = "";
  private ended = false;
  private server = "";
  private guess: Guess | null = null;

  constructor(
    root: HTMLElement,
    private readonly calls: Calls,
  ) {
    this.page = new Page(root, {
      do: (command) => this.do(command),
      seek: (t) => this.seek(t),
      press: (server) => void this.hand?.press(server),
      menu: (server) => this.menu(server),
      step: (number) => this.go(tourLink(number)),
      choose: (pane) => this.choose(pane),
      followSeat: (seat) => this.followSeat(seat),
    });
    this.narrator = new Narrator((text) => this.page.speak(text));
    this.player = new Player(() => this.frame());
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const settle = () => {
      this.player.still = calm.matches;
      this.change();
    };
    calm.addEventListener("change", settle);
    settle();
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => void this.openLink(readLink(location.hash)));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.page.measure());
  }

  async start(): Promise<void> {
    try {
      this.entries = await this.calls.scenarios();
    } catch (problem) {
      this.page.fail(inWords(problem));
      return;
    }
    await this.openLink(readLink(location.hash));
  }

  /** Opens what a link says. */
  private async openLink(link: Link): Promise<void> {
    this.link = link;
    this.ended = false;
    this.told = "";
    this.show?.close();
    this.player.show = null;
    const designs = link.designs.length > 0 ? link.designs : this.pairFor(link);
    try {
      const seed = link.seed === null ? {} : { seed: link.seed };
      const text = link.text === null ? {} : { text: link.text };
      const request = { scenario: link.scenario, set: link.set, designs, user: link.user, ...seed, ...text };
      const show = await Show.open(
        this.calls,
        request,
        () => this.change(),
        (problem) => this.fail(problem),
      );
      this.hand = new ByHand(show, (problem) => this.page.toast(problem));
      await this.hand.open(link.deeds);
      this.begin(show);
    } catch (problem) {
      this.fail(problem);
    }
    if (link.ignored.length > 0) {
      this.page.toast(`Not understood in this link: ${link.ignored.join(", ")}`);
    }
  }

  private begin(show: Show): void {
    this.show = show;
    this.player.show = show;
    this.page.open(show, this.place(show));
    const first = show.firstFault;
    const start = this.link.t ?? (first !== null && first < show.end ? Math.max(0, first - RUN_UP) : 0);
    const { predict, name } = show.scenario;
    const asks = this.link.tour === null || STEPS[this.link.tour - 1]?.asks;
    this.guess = predict && asks ? new Guess(name, predict, show, start) : null;
    this.page.setStep(this.link.tour);
    this.page.setBet(null);
    this.player.playing = this.link.t === null && !this.player.still;
    show.seek(start);
    this.change();
  }

  /** In the tour the clock stops for a guess; whoever made one is told later how it came out. */
  private predicting(show: Show): void {
    const { guess, player } = this;
    if (guess?.state === "open" && this.link.tour !== null && player.playing && show.t >= guess.stopsAt) {
      this.askGuess(guess);
    }
    if (guess?.state === "guessed" && show.t >= guess.revealsAt) {
      guess.state = "shown";
      this.page.setBet(reveal(guess));
    }
  }

  private askGuess(guess: Guess): void {
    guess.state = "asked";
    this.player.playing = false;
    this.change();
    ask(guess, () => {
      this.player.playing = true;
      this.change();
    });
  }

  private step(by: number): void {
    const number = (this.link.tour ?? 0) + by;
    if (STEPS[number - 1]) {
      this.go(tourLink(number));
    }
  }

  private pairFor(link: Link): readonly number[] {
    const entry = this.entries.find(({ name }) => name === link.scenario);
    return designsOf(link.scenario, entry?.designs.length ?? 1);
  }

  private fail(problem: unknown): void {
    this.player.playing = false;
    const command =
      problem instanceof Refused && problem.refusal.kind === "size" ? `\n\n${commandLine(this.link)}` : "";
    this.page.fail(inWords(problem) + command);
  }

  /** Something else than the time is different: draw again. */
  private change(): void {
    this.version += 1;
  }

  private frame(): void {
    const { show, drawn } = this;
    if (!show) {
      return;
    }
    const now = performance.now();
    const moved = show.t !== drawn.t || this.version !== drawn.version;
    if (!moved) {
      return;
    }
    const texts = now - drawn.at >= TEXTS || !this.player.playing;
    this.page.panes.forEach((pane) => {
      const scene = this.scene(pane.run);
      if (texts) {
        pane.refresh(scene);
      }
      pane.draw(scene, `${Math.floor(show.t * 20)} ${this.version} ${this.player.speed}`);
    });
    this.page.timeline.draw();
    this.predicting(show);
    if (texts) {
      this.texts(show);
      this.drawn = { t: show.t, at: now, version: this.version };
    } else {
      this.drawn = { ...drawn, t: show.t, version: this.version };
    }
  }

  /** The scene of one design at the moment that is shown. */
  scene(run: Run): Scene {
    const { cart } = run.design.homes;
    return sceneAt(run.recording, this.show!.t, {
      speed: this.player.speed,
      still: this.player.still,
      followedUser: this.show!.user,
      remembers: cart === "server-memory" || cart === "replicated-memory",
      carries: cart === "signed-token",
    });
  }

  private texts(show: Show): void {
    const caption = captionAt(show.runs, show.t);
    this.page.setCaption(caption, `What differs: ${show.scenario.varies}.`);
    this.page.film.refresh(show.t, show.user);
    this.page.refreshTransport(show, this.player.playing, this.player.speed, this.player.isSlow);
    const text = caption ? inOneText(caption, show.runs.length) : "";
    if (text !== this.told) {
      this.told = text;
      if (text) {
        this.narrator.tell(text, weightOf(caption));
      }
    }
    if (show.isOver && !this.ended) {
      this.ended = true;
      this.results(show);
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.closest("input, textarea, select, dialog") !== null;
    const pressing = (event.key === " " || event.key === "Enter") && target.closest("button, a") !== null;
    if (typing || pressing) {
      return;
    }
    const command = commandOf(event, this.letters);
    if (command) {
      event.preventDefault();
      this.server = event.key;
      this.do(command);
    }
  }

  private do(command: Command): void {
    const { show } = this;
    if (show) {
      this.inShow(command, show);
    }
    switch (command) {
      case "list":
        openScenarios(this.entries, this.link.scenario, (name) => this.go({ ...FIRST, scenario: name }));
        return;
      case "next-step":
        this.step(1);
        return;
      case "previous-step":
        this.step(-1);
        return;
      case "theme":
        toggleTheme();
        this.page.measure();
        this.change();
        return;
      case "help":
        openHelp(this.letters, (on) => {
          this.letters = on;
          remembered("letters", on ? "on" : "off");
        });
        return;
      case "reset":
        void this.openLink({ ...this.link, deeds: [], t: null });
    }
  }

  private inShow(command: Command, show: Show): void {
    switch (command) {
      case "toggle":
        this.player.playing = !this.player.playing;
        if (this.player.playing && show.isOver) {
          show.seek(0);
        }
        this.change();
        return;
      case "next-event":
        this.seek(show.next(show.t) ?? show.t + 1);
        return;
      case "last-event":
        this.seek(show.previous(show.t) ?? 0);
        return;
      case "back":
        this.seek(show.t - 1);
        return;
      case "on":
        this.seek(show.t + 1);
        return;
      case "far-back":
        this.seek(show.t - 10);
        return;
      case "far-on":
        this.seek(show.t + 10);
        return;
      case "start":
        this.seek(0);
        return;
      case "end":
        this.seek(show.end);
        return;
      case "faster":
      case "slower":
        this.player.faster(command === "faster" ? 1 : -1);
        this.change();
        return;
      case "server": {
        const server = this.scene(show.runs[0]!).servers[Number(this.server) - 1];
        if (server) {
          void this.hand?.press(server);
        }
        return;
      }
      case "kill-cart":
        void this.hand?.killCart(this.scene(show.runs[0]!));
        return;
      case "deploy":
        void this.hand?.inject({ deploy: {} });
        return;
      case "store":
        void this.hand?.inject({ store: "outage", for: "10s" });
        return;
      case "follow":
        this.followSeat(
          (show.runs[0]!.recording.followedClient + 1) % this.scene(show.runs[0]!).seats.length,
        );
        return;
      case "many":
        openMany(show);
        return;
      case "editor":
        openEditor(this.link.text ?? EXAMPLE, (text) => this.write(text));
        return;
      case "knobs":
        openKnobs(this.link, (settings) => this.apply(show, settings));
        return;
      case "fork":
        this.fork(show);
        return;
      case "guess":
        if (this.guess) {
          this.askGuess(this.guess);
        }
        return;
      case "enlarge":
        this.page.enlargeFilm();
        return;
      case "link":
        if (this.link.text !== null) {
          this.page.toast("A link does not carry a scenario of your own: keep its text");
          return;
        }
        void this.copy(location.href.replace(/#.*/, "") + writeLink(this.here(show)), "Link copied");
        return;
      case "command":
        void this.copy(commandLine(this.here(show)), "Command copied");
        return;
      case "read":
        this.page.speak(`${this.page.timeline.element.getAttribute("aria-valuetext")}. ${this.told}`);
        return;
      case "results":
        this.results(show);
        return;
    }
  }

  private seek(t: number): void {
    this.show?.seek(t);
    this.change();
  }

  private here(show: Show): Link {
    const deeds = this.hand?.all ?? [];
    return {
      ...this.link,
      tour: null,
      designs: show.runs.map(({ design }) => design.number),
      deeds,
      t: show.t,
      user: show.user,
    };
  }

  private go(link: Link): void {
    if (link.text !== null) {
      void this.openLink(link);
      return;
    }
    const fragment = writeLink(link);
    if (location.hash === fragment) {
      void this.openLink(link);
    } else {
      location.hash = fragment;
    }
  }

  private async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.page.toast(done);
    } catch {
      open(done.replace("copied", "to copy"), h("pre.plain", {}, text));
    }
  }

  /** What can be done to a server; a dead one can only come back. */
  private menu(server: ServerRow): void {
    if (server.state === "down" || server.state === "silent") {
      void this.hand?.press(server);
      return;
    }
    const choices = serverFaults(server).map(({ label, fault }) => ({
      label,
      action: () => void this.hand?.inject(fault),
    }));
    openMenu(server.name, choices);
  }

  /** Plays the scenario with other settings; answers with what is wrong with them. */
  private async apply(show: Show, settings: Settings): Promise<string | null> {
    try {
      await this.calls.check(this.link.scenario, settings.set, this.link.text ?? undefined);
    } catch (problem) {
      return inWords(problem);
    }
    this.go({ ...this.here(show), ...settings, deeds: [], t: null });
    return null;
  }

  /** Plays a scenario of one's own. */
  private async write(text: string): Promise<void> {
    const { designs } = await this.calls.check(OWN, [], text);
    await this.openLink({ ...FIRST, scenario: OWN, text, designs: designs.length > 1 ? [1, 2] : [1] });
  }

  private fork(show: Show): void {
    this.player.playing = false;
    openForkMenu(
      show,
      (run) => this.scene(run).servers,
      (run, difference) => void this.forkWith(show, run, difference),
    );
  }

  private async forkWith(show: Show, run: Run, difference: Difference): Promise<void> {
    try {
      await show.fork(run, difference);
      this.page.open(show, this.place(show));
      this.page.setBet(h("p.bet", {}, `One past until ${clock(show.t, 1)}, two futures`));
      this.player.playing = !this.player.still;
    } catch (problem) {
      this.page.toast(inWords(problem));
    }
    this.change();
  }

  private place(show: Show): number {
    return this.entries.findIndex(({ name }) => name === show.scenario.name) + 1;
  }

  private choose(pane: number): void {
    const { show } = this;
    if (show) {
      openDesignMenu(show, pane, (designs) =>
        this.go({ ...this.here(show), designs, deeds: this.link.deeds }),
      );
    }
  }

  private followSeat(seat: number): void {
    const { show } = this;
    const user = show?.runs[0]?.recording.userOf(seat);
    if (show && user !== null && user !== undefined) {
      this.link = { ...this.link, user };
      show.follow(user, seat).catch((problem) => this.fail(problem));
    }
  }

  private results(show: Show): void {
    const { tour } = this.link;
    const step = tour === null ? undefined : STEPS[tour];
    const { next } = show.scenario;
    const go = () =>
      step && tour !== null ? this.go(tourLink(tour + 1)) : this.go({ ...FIRST, scenario: next ?? "" });
    const label = step ? `Next step: ${step.name}` : `Next: ${next}`;
    openResults(show, {
      command: commandLine(this.here(show)),
      next: step || next ? { label, go } : null,
      many: () => openMany(show),
    });
  }
}
