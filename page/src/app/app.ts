/** The page as a whole: which link is open, and what a reader does with it. */

import { type Calls, Refused, type ScenarioEntry } from "../engine/engine.ts";
import type { ServerRow } from "../engine/moments.ts";
import { openCompare } from "../view/compare.ts";
import { open, openHelp, openMenu, openScenarios, serverFaults } from "../view/dialogs.ts";
import { differing, openDiffering } from "../view/differing.ts";
import { h } from "../view/dom.ts";
import { EXAMPLE, openEditor } from "../view/editor.ts";
import { ask, reveal } from "../view/guess.ts";
import { openKnobs, type Settings } from "../view/knobs.ts";
import { openMany } from "../view/many.ts";
import { openDesignMenu, openForkMenu } from "../view/menus.ts";
import { Page } from "../view/page.ts";
import { openResults } from "../view/results.ts";
import { ByHand } from "./by-hand.ts";
import { perform } from "./commands.ts";
import { Guess } from "./guess.ts";
import { commandOf, digitOf } from "./keys.ts";
import { commandLine, FIRST, type Link, readLink, tourLink, writeLink } from "./link.ts";
import { Screen } from "./screen.ts";
import { remembered, toggleTheme } from "./settings.ts";
import { type Difference, inWords, type Run, Show } from "./show.ts";
import { designsOf, STEPS } from "./tour.ts";

/** How long before the first fault the clock starts, in seconds; and when it starts if there is none. */
const RUN_UP = 8;
const SETTLED = 8;
/** What a scenario is called that was written here. */
const OWN = "my-own";

export class App {
  private readonly page: Page;
  private readonly screen: Screen;
  private entries: readonly ScenarioEntry[] = [];
  private link: Link = FIRST;
  private show: Show | null = null;
  private hand: ByHand | null = null;
  private guess: Guess | null = null;
  private letters = remembered("letters") !== "off";
  private ended = false;

  constructor(
    root: HTMLElement,
    private readonly calls: Calls,
  ) {
    this.page = new Page(root, {
      do: (command) => perform(command, this, this.show),
      seek: (t) => this.seek(t),
      press: (server) => void this.hand?.press(server),
      menu: (server) => this.menu(server),
      step: (number) => this.go(tourLink(number)),
      choose: (pane) => this.choose(pane),
      moved: () => this.screen.change(),
      followSeat: (seat) => this.followSeat(seat),
    });
    this.screen = new Screen(this.page, (show) => this.watch(show));
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => void this.openLink(readLink(location.hash)));
  }

  async start(): Promise<void> {
    try {
      this.entries = await this.calls.scenarios();
    } catch (problem) {
      this.page.fail(inWords(problem), () => location.reload());
      return;
    }
    const recording = this.calls.how === "recording";
    this.page.setRecording(recording);
    await this.openLink(recording ? FIRST : readLink(location.hash));
  }

  /** Opens what a link says. */
  private async openLink(link: Link): Promise<void> {
    this.link = link;
    this.ended = false;
    this.show?.close();
    this.screen.open(null);
    const designs = link.designs.length > 0 ? link.designs : this.pairFor(link);
    try {
      const seed = link.seed === null ? {} : { seed: link.seed };
      const text = link.text === null ? {} : { text: link.text };
      const request = { scenario: link.scenario, set: link.set, designs, user: link.user, ...seed, ...text };
      const show = await Show.open(
        this.calls,
        request,
        () => this.screen.change(),
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

  private pairFor(link: Link): readonly number[] {
    const entry = this.entries.find(({ name }) => name === link.scenario);
    return designsOf(link.scenario, entry?.designs.length ?? 1);
  }

  private begin(show: Show): void {
    this.show = show;
    this.page.open(show, this.place(show));
    const first = show.firstFault;
    const usual = first !== null && first < show.end ? Math.max(0, first - RUN_UP) : SETTLED;
    const start = this.link.t ?? usual;
    const step = this.link.tour === null ? undefined : STEPS[this.link.tour - 1];
    this.page.setStep(this.link.tour);
    this.screen.otherwise = step?.change ?? `What differs: ${show.scenario.varies}.`;
    const { predict, name } = show.scenario;
    const asks = step === undefined || step.asks;
    this.guess = predict && asks ? new Guess(name, predict, show, start) : null;
    this.page.setBet(null);
    const { player } = this.screen;
    player.playing = this.link.t === null && !player.still;
    show.seek(start);
    this.screen.open(show);
  }

  private fail(problem: unknown): void {
    this.screen.player.playing = false;
    const tooLarge = problem instanceof Refused && problem.refusal.kind === "size";
    this.page.fail(inWords(problem) + (tooLarge ? `\n\n${commandLine(this.link)}` : ""));
  }

  /** In the tour the clock stops for a guess; whoever made one is told later how it came out. */
  private watch(show: Show): void {
    const { guess } = this;
    const { playing } = this.screen.player;
    if (guess?.state === "open" && this.link.tour !== null && playing && show.t >= guess.stopsAt) {
      this.askGuess();
    }
    if (guess?.state === "guessed" && show.t >= guess.revealsAt) {
      guess.state = "shown";
      this.page.setBet(reveal(guess));
    }
    if (show.forkedAt !== null) {
      this.page.setDiffering(show.forkedAt, differing(show).length, () =>
        openDiffering(show, (client) => this.followSeat(client)),
      );
    }
    if (show.isOver && !this.ended) {
      this.ended = true;
      this.results(show);
    }
  }

  askGuess(): void {
    const { guess } = this;
    if (!guess) {
      return;
    }
    guess.state = "asked";
    this.screen.player.playing = false;
    this.screen.change();
    ask(guess, () => {
      this.screen.player.playing = true;
      this.screen.change();
    });
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.closest("input, textarea, select, dialog") !== null;
    const pressing = (event.key === " " || event.key === "Enter") && target.closest("button, a") !== null;
    const command = commandOf(event, this.letters);
    if (typing || pressing || !command) {
      return;
    }
    event.preventDefault();
    if (command === "server") {
      this.pressServer(digitOf(event));
    } else {
      perform(command, this, this.show);
    }
  }

  private pressServer(number: number): void {
    const { show, hand } = this;
    const server = show && this.screen.scene(show, show.runs[0]!).servers[number - 1];
    if (server) {
      void hand?.press(server);
    }
  }

  /** Goes to a moment. */
  seek(t: number): void {
    this.show?.seek(t);
    this.screen.change();
  }

  toggle(show: Show): void {
    const { player } = this.screen;
    player.playing = !player.playing;
    if (player.playing && show.isOver) {
      show.seek(0);
    }
    this.screen.change();
  }

  faster(by: number): void {
    this.screen.player.faster(by);
    this.screen.change();
  }

  step(by: number): void {
    const number = (this.link.tour ?? 0) + by;
    if (STEPS[number - 1]) {
      this.go(tourLink(number));
    }
  }

  list(): void {
    openScenarios(this.entries, this.link.scenario, (name) => this.go({ ...FIRST, scenario: name }));
  }

  theme(): void {
    toggleTheme();
    this.page.measure();
    this.screen.change();
  }

  help(): void {
    openHelp(this.letters, (on) => {
      this.letters = on;
      remembered("letters", on ? "on" : "off");
    });
  }

  reset(): void {
    void this.openLink({ ...this.link, deeds: [], t: null });
  }

  read(): void {
    this.screen.read();
  }

  enlarge(): void {
    this.page.enlargeFilm();
    this.screen.change();
  }

  /** Back: the film gets small again, a fork is left, and what takes long is given up. */
  escape(show: Show): void {
    if (show.isBusy) {
      this.screen.player.playing = false;
      show.stay();
    } else if (this.page.isFilmLarge) {
      this.enlarge();
    } else if (show.forkedAt !== null) {
      void this.openLink({ ...this.here(show), tour: this.link.tour });
    }
    this.screen.change();
  }

  killCart(show: Show): void {
    void this.hand?.killCart(this.screen.scene(show, show.runs[0]!));
  }

  deploy(): void {
    void this.hand?.inject({ deploy: {} });
  }

  store(show: Show): void {
    if (show.runs.some(({ design }) => design.store)) {
      void this.hand?.inject({ store: "outage", for: "10s" });
    } else {
      this.page.toast("There is no store in these designs");
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

  followNext(show: Show): void {
    const { recording } = show.runs[0]!;
    this.followSeat((recording.followedClient + 1) % this.screen.scene(show, show.runs[0]!).seats.length);
  }

  private followSeat(seat: number): void {
    const { show } = this;
    const user = show?.runs[0]?.recording.userOf(seat);
    if (show && user !== null && user !== undefined) {
      this.link = { ...this.link, user };
      show.follow(user, seat).catch((problem) => this.fail(problem));
    }
  }

  fork(show: Show): void {
    this.screen.player.playing = false;
    openForkMenu(
      show,
      (run) => this.screen.scene(show, run).servers,
      (run, difference) => void this.forkWith(show, run, difference),
    );
  }

  private async forkWith(show: Show, run: Run, difference: Difference): Promise<void> {
    try {
      await show.fork(run, difference);
      this.page.open(show, this.place(show));
      this.page.setBet(null);
      this.screen.player.playing = !this.screen.player.still;
    } catch (problem) {
      this.page.toast(inWords(problem));
    }
    this.screen.change();
  }

  /** The number of a scenario in the order of the lessons. */
  private place(show: Show): number {
    return this.entries.findIndex(({ name }) => name === show.scenario.name) + 1;
  }

  private choose(pane: number): void {
    const { show } = this;
    if (show) {
      openDesignMenu(show, pane, (designs) => this.withDesigns(show, designs));
    }
  }

  compare(show: Show): void {
    openCompare(show, (designs) => this.withDesigns(show, designs));
  }

  private withDesigns(show: Show, designs: readonly number[]): void {
    this.go({ ...this.here(show), designs, deeds: this.link.deeds });
  }

  knobs(show: Show): void {
    openKnobs(this.link, (settings) => this.apply(show, settings));
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

  /** Opens the editor: with the text that is played, else with an example. */
  edit(): void {
    const play = (text: string) => this.write(text);
    const shipped = this.link.text === null ? this.link.scenario : null;
    openEditor(this.link.text ?? EXAMPLE, play, shipped, (name) => this.calls.source(name));
  }

  /** Plays a scenario of one's own. */
  private async write(text: string): Promise<void> {
    const { designs } = await this.calls.check(OWN, [], text);
    await this.openLink({ ...FIRST, scenario: OWN, text, designs: designs.length > 1 ? [1, 2] : [1] });
  }

  many(show: Show): void {
    openMany(show);
  }

  results(show: Show): void {
    const { tour } = this.link;
    const step = tour === null ? undefined : STEPS[tour];
    const { next } = show.scenario;
    const go = () =>
      step && tour !== null ? this.go(tourLink(tour + 1)) : this.go({ ...FIRST, scenario: next ?? "" });
    const label = step ? `Next step: ${step.name}` : `Next: ${next}`;
    openResults(show, {
      command: commandLine(this.here(show)),
      byHand: (this.hand?.all.length ?? 0) > 0,
      next: step || next ? { label, go } : null,
      many: () => openMany(show),
      copyCommand: () => this.copyCommand(show),
      copyLink: () => this.copyLink(show),
    });
  }

  copyLink(show: Show): void {
    if (this.link.text !== null) {
      this.page.toast("A link does not carry a scenario of your own: keep its text");
      return;
    }
    void this.copy(location.href.replace(/#.*/, "") + writeLink(this.here(show)), "Link copied");
  }

  copyCommand(show: Show): void {
    void this.copy(commandLine(this.here(show)), "Command copied");
  }

  private async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.page.toast(done);
    } catch {
      open(done.replace("copied", "to copy"), h("pre.plain", {}, text));
    }
  }

  /** The link to what is shown. */
  private here(show: Show): Link {
    const designs = show.runs.filter(({ branch }) => branch === null).map(({ design }) => design.number);
    return { ...this.link, tour: null, designs, deeds: this.hand?.all ?? [], t: show.t, user: show.user };
  }

  private go(link: Link): void {
    const fragment = writeLink(link);
    if (link.text !== null || location.hash === fragment) {
      void this.openLink(link);
    } else {
      location.hash = fragment;
    }
  }
}
