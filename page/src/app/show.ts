/** A scenario on the stage: the designs that are played, what was recorded of them, and the moment that is shown. */

import {
  type Calls,
  type Fault,
  type LoadRequest,
  type Opened,
  Refused,
  type Report,
} from "../engine/engine.ts";
import type { DesignInfo, Frame, Happening, ScenarioInfo, TimelineEntry } from "../engine/moments.ts";
import { Recording } from "../run/recording.ts";
import { AHEAD } from "../run/trips.ts";

/** One visit of the followed user, as far as it was told. */
interface Visit {
  readonly begins: number;
  readonly frames: readonly Frame[];
}

export class Run {
  recording: Recording;
  timeline: readonly TimelineEntry[];
  /** The visits of the followed user, in order. */
  visits: Visit[] = [];
  over = false;

  private constructor(
    readonly id: number,
    readonly design: DesignInfo,
    recording: Recording,
    timeline: readonly TimelineEntry[],
    /** What is different in this future of a design; `null` for the design itself. */
    readonly branch: string | null = null,
  ) {
    this.recording = recording;
    this.timeline = timeline;
  }

  static of(opened: Opened, user: number): Run {
    const { design } = opened;
    const users = opened.keyframe.users ?? [];
    const client = users.find((row) => row[1] === user)?.[0] ?? Math.max(0, user - 1);
    const clients = users.length || (design.users ?? 0);
    const recording = new Recording({ clients, copies: design.homes.cart === "replicated-memory" }, client);
    recording.add([opened.keyframe], [], opened.keyframe.t);
    return new Run(opened.run, design, recording, design.timeline);
  }

  /** Another future with the same past. */
  fork(id: number, name: string): Run {
    const fork = new Run(
      id,
      this.design,
      this.recording.following(this.recording.followedClient),
      this.timeline,
      name,
    );
    fork.visits = [...this.visits];
    return fork;
  }

  /** What the followed user did until a moment, in the visit of that moment. */
  film(t: number): readonly Frame[] {
    const visit = this.visits.findLast(({ begins }) => begins <= t);
    const frames = visit?.frames ?? [];
    const first = frames.findIndex((frame) => frame.is !== "skipped" && frame.t > t);
    return first < 0 ? frames : frames.slice(0, first);
  }
}

/** What is different in the second of two futures. */
export type Difference = { readonly name: string } & (
  | { readonly spare: number }
  | { readonly inject: Fault }
);

/** What is told in one call, in seconds of virtual time. */
const CHUNK = 1;
/** How often to ask for the film where nothing is said of its user, in seconds of virtual time. */
const FILM_EVERY = 3;

export class Show {
  t = 0;
  /** Where the past of two futures ends. */
  forkedAt: number | null = null;
  /** The moment to which the clock wants to go, if it is not recorded yet. */
  private wanted = 0;
  private pumping = false;
  private stopped = false;
  /** Whether something is being done to the runs, so that nothing may be recorded. */
  private held = false;

  private constructor(
    private readonly calls: Calls,
    readonly request: LoadRequest,
    readonly scenario: ScenarioInfo,
    public runs: Run[],
    public user: number,
    private readonly changed: () => void,
    private readonly failed: (problem: unknown) => void,
  ) {}

  static async open(
    calls: Calls,
    request: LoadRequest & { readonly user: number },
    changed: () => void,
    failed: (problem: unknown) => void,
  ): Promise<Show> {
    const { scenario, runs } = await calls.load(request);
    const opened = runs.map((run) => Run.of(run, request.user));
    const show = new Show(calls, request, scenario, opened, request.user, changed, failed);
    show.reach(0);
    return show;
  }

  /** The latest end of all runs. */
  get end(): number {
    return Math.max(...this.runs.map((run) => (run.over ? run.recording.until : run.design.end)));
  }

  /** When something is first due to break. */
  get firstFault(): number | null {
    const due = this.runs.flatMap((run) =>
      run.timeline.filter(({ spared, at }) => !spared && at > 0).map(({ at }) => at),
    );
    return due.length > 0 ? Math.min(...due) : null;
  }

  /** Until when a picture can be made of all runs. */
  get horizon(): number {
    const known = (run: Run) => (run.over ? Number.POSITIVE_INFINITY : run.recording.until - AHEAD);
    return Math.max(0, Math.min(this.end, ...this.runs.map(known)));
  }

  /** The report of all designs, with what was done by hand. Told how much is done; stops when `goOn` says so. */
  async report(byHand: boolean, told: (done: number) => void, goOn: () => boolean): Promise<Report | null> {
    const run = byHand ? (this.runs[0]?.id ?? null) : null;
    while (goOn() && !this.stopped) {
      const { done, report } = await this.calls.report(run);
      told(done);
      if (report) {
        return report;
      }
    }
    return null;
  }

  get isOver(): boolean {
    return this.runs.every((run) => run.over) && this.t >= this.end;
  }

  /** The moment that is shown, or that the clock is on its way to. */
  get goal(): number {
    return this.isBusy ? this.wanted : this.t;
  }

  /** Whether the clock waits for the simulation. */
  get isBusy(): boolean {
    return Math.min(this.wanted, this.end) > this.horizon + 1e-9;
  }

  /** How much of what the clock waits for is simulated, from 0 to 1. */
  get progress(): number {
    return this.wanted > 0 ? Math.min(1, this.horizon / this.wanted) : 1;
  }

  /** Goes to a moment, or towards it. */
  seek(t: number): void {
    const on = t >= this.t;
    this.reach(Math.max(0, t));
    const there = Math.min(this.wanted, this.horizon);
    // After a deed little is known of what follows: the clock waits for it, and does not go back.
    this.t = on ? Math.max(this.t, there) : there;
  }

  /** The next moment after `t` at which something is said that is more than a user's deed; of what is known. */
  next(t: number): number | null {
    const times = this.news().filter((time) => time > t + 0.01);
    return times.length > 0 ? Math.min(...times) : null;
  }

  previous(t: number): number | null {
    const times = this.news().filter((time) => time < t - 0.01);
    return times.length > 0 ? Math.max(...times) : null;
  }

  private news(): number[] {
    const said = this.runs.flatMap((run) => run.recording.says.map((saying) => saying.t));
    const due = this.runs.flatMap((run) =>
      run.timeline.filter(({ spared }) => !spared).map(({ at, struck }) => struck ?? at),
    );
    return [...said, ...due.filter((at) => at <= this.end)];
  }

  /** Gives up waiting: the clock stays where it is. */
  stay(): void {
    this.wanted = this.t;
  }

  /** Sees to it that a moment is recorded soon. */
  private reach(t: number): void {
    this.wanted = Math.min(t, this.end);
    void this.pump();
  }

  close(): void {
    this.stopped = true;
  }

  private async pump(): Promise<void> {
    if (this.pumping || this.held) {
      return;
    }
    this.pumping = true;
    try {
      for (let run = this.behind(); run && !this.stopped && !this.held; run = this.behind()) {
        await this.record(run);
        if (this.t < this.wanted) {
          this.t = Math.max(this.t, Math.min(this.wanted, this.horizon));
        }
        this.changed();
      }
    } catch (problem) {
      this.failed(problem);
    } finally {
      this.pumping = false;
    }
  }

  /** The run that is furthest behind what is wanted. */
  private behind(): Run | undefined {
    const enough = this.wanted + AHEAD + 2 * CHUNK;
    return this.runs
      .filter((run) => !run.over && run.recording.until < Math.min(enough, run.design.end))
      .sort((a, b) => a.recording.until - b.recording.until)[0];
  }

  private async record(run: Run): Promise<void> {
    const { recording } = run;
    const until = Math.min(run.design.end, Math.floor(recording.until / CHUNK + 1 + 1e-9) * CHUNK);
    const batch = await this.calls.advance(run.id, until);
    recording.add(batch.keyframes, batch.events, batch.now);
    run.over = batch.over || batch.now >= run.design.end;
    if (batch.events.some((event) => event.is === "struck")) {
      run.timeline = await this.calls.timeline(run.id);
    }
    // Where seats are shared, nothing is said of single users.
    const shared = recording.sharesSeats && recording.until % FILM_EVERY === 0;
    const news = (event: Happening) =>
      event.is === "struck" || (event.is === "say" && event.about === "user");
    if (shared || batch.events.some(news)) {
      remember(run, (await this.calls.story(run.id, this.user)).frames);
    }
  }

  /** Breaks something in all runs. What was to come is forgotten. */
  async inject(fault: Fault, at = this.t): Promise<void> {
    await this.alone(async () => {
      for (const run of this.runs) {
        await this.back(run, at);
        const { batch, timeline } = await this.calls.inject(run.id, fault);
        run.recording.add(batch.keyframes, batch.events, batch.now);
        run.timeline = timeline;
        run.over = batch.over;
      }
    });
  }

  /** One past, two futures: from here on a run is played twice, and something is different in the second. */
  async fork(run: Run, difference: Difference): Promise<void> {
    await this.alone(async () => {
      const { t } = this;
      await this.back(run, t);
      const { run: id } = await this.calls.fork(run.id);
      const fork = run.fork(id, difference.name);
      if ("spare" in difference) {
        fork.timeline = await this.calls.spare(id, difference.spare);
      } else {
        const { batch, timeline } = await this.calls.inject(id, difference.inject);
        fork.recording.add(batch.keyframes, batch.events, batch.now);
        fork.timeline = timeline;
      }
      for (const other of this.runs.filter((other) => other !== run)) {
        await this.calls.close(other.id);
      }
      this.runs = [run, fork];
      this.forkedAt = t;
    });
  }

  /** Follows another user from here on. */
  async follow(user: number, client: number): Promise<void> {
    await this.alone(async () => {
      this.user = user;
      const { t } = this;
      for (const run of this.runs) {
        run.recording = run.recording.following(client);
        run.visits = [];
        await this.back(run, t);
        remember(run, (await this.calls.story(run.id, user)).frames);
      }
    });
  }

  private async back(run: Run, to: number): Promise<void> {
    if (run.recording.until > to) {
      const keyframe = await this.calls.rewind(run.id, to);
      run.recording.cut(to);
      run.recording.add([keyframe], [], to);
      run.visits = run.visits.filter(({ begins }) => begins <= to);
      run.over = false;
    }
  }

  /** Does something to the runs while nothing is recorded, and nothing else is done to them. */
  private async alone(work: () => Promise<void>): Promise<void> {
    while (this.held) {
      await pause();
    }
    this.held = true;
    try {
      while (this.pumping) {
        await pause();
      }
      await work();
    } finally {
      this.held = false;
      void this.pump();
      this.changed();
    }
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Keeps a film: longer than before, or the beginning of another visit. */
function remember(run: Run, frames: readonly Frame[]): void {
  const first = frames.find((frame) => frame.is === "did");
  if (!first) {
    return;
  }
  const others = run.visits.filter((visit) => visit.begins !== first.t);
  run.visits = [...others, { begins: first.t, frames }].sort((a, b) => a.begins - b.begins);
}

/** What to tell people of a failure. */
export function inWords(problem: unknown): string {
  if (problem instanceof Refused) {
    const { message, label, note, help, place } = problem.refusal;
    const at = place
      ? `${place.source}, line ${place.line}, column ${place.column}:\n  ${place.text.trimEnd()}\n`
      : "";
    return [at + message, label, note, help].filter(Boolean).join("\n");
  }
  return problem instanceof Error ? problem.message : String(problem);
}
