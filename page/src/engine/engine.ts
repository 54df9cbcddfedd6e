/** The simulation, wherever it runs: one call at a time, a question in JSON, an answer in JSON. */

import type { DesignInfo, Frame, Happening, Keyframe, ScenarioInfo, TimelineEntry } from "./moments.ts";

/** Something that answers calls: a worker that runs wasm, a server, or else a recording. */
export interface Engine {
  readonly how: "wasm" | "http" | "recording";
  /** Sends the text of a request and returns the text of its answer. */
  send(request: string): Promise<string>;
  /** Nothing more will be asked. */
  end?(): void;
}

/** Where a scenario's text is wrong. */
export interface Spot {
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly text: string;
}

interface Refusal {
  readonly kind: string;
  readonly message: string;
  readonly label?: string;
  readonly note?: string;
  readonly help?: string;
  readonly place?: Spot;
}

/** A call that was refused. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

export interface ScenarioEntry {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly designs: readonly string[];
  readonly too_large: Refusal | null;
}

export interface Batch {
  readonly now: number;
  readonly over: boolean;
  readonly keyframes: readonly Keyframe[];
  readonly events: readonly Happening[];
}

export interface LoadRequest {
  readonly scenario: string;
  readonly text?: string;
  readonly set?: readonly string[];
  readonly designs?: readonly number[];
  readonly seed?: number;
  readonly user?: number;
}

export interface Opened {
  readonly run: number;
  readonly design: DesignInfo;
  readonly keyframe: Keyframe;
}

export interface Injected {
  readonly fault: number;
  readonly batch: Batch;
  readonly timeline: readonly TimelineEntry[];
}

/** What the command line prints of all designs, as finished texts. */
export interface Report {
  readonly facts: string;
  readonly timelines: readonly string[];
  readonly changes: readonly string[];
  readonly columns: readonly { readonly name: string; readonly head: string; readonly words: boolean }[];
  readonly rows: readonly {
    readonly number: string;
    readonly name: string;
    readonly cells: readonly { readonly figure: string; readonly share: string; readonly loss: boolean }[];
  }[];
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly lesson: string;
  readonly next: string | null;
  readonly digest: string | null;
}

/** A fault as a scenario writes it: `{ "crash": "server-2", "replace_after": "5s" }`. */
export type Fault = Readonly<Record<string, unknown>>;

/** All calls, with the types of their answers. Calls are answered in their order. */
export class Calls {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly engine: Engine) {}

  get how(): Engine["how"] {
    return this.engine.how;
  }

  scenarios = () => this.call<ScenarioEntry[]>({ call: "scenarios" });
  load = (request: LoadRequest) =>
    this.call<{ scenario: ScenarioInfo; runs: Opened[] }>({ call: "load", ...request });
  check = (scenario: string, set: readonly string[], text?: string) =>
    this.call<ScenarioInfo>({ call: "check", scenario, set, ...(text === undefined ? {} : { text }) });
  advance = (run: number, until: number) => this.call<Batch>({ call: "advance", run, until });
  inject = (run: number, fault: Fault) => this.call<Injected>({ call: "inject", run, fault });
  spare = (run: number, fault: number) => this.call<TimelineEntry[]>({ call: "spare", run, fault });
  rewind = (run: number, to: number) => this.call<Keyframe>({ call: "rewind", run, to, forget: true });
  fork = (run: number) => this.call<{ run: number }>({ call: "fork", run });
  close = (run: number) => this.call<unknown>({ call: "close", run });
  figures = (run: number) => this.call<Record<string, unknown>>({ call: "figures", run });
  /** Plays all designs for a while; `report` is there when `done` is 1. With a `run`, what was done in it is done in all. */
  report = (run: number | null) =>
    this.call<{ done: number; report: Report | null }>({ call: "report", ...(run === null ? {} : { run }) });
  source = (scenario: string) => this.call<{ text: string }>({ call: "source", scenario });
  story = (run: number, user: number) =>
    this.call<{ user: number; frames: Frame[] }>({ call: "story", run, user });
  timeline = (run: number) => this.call<TimelineEntry[]>({ call: "timeline", run });

  end(): void {
    this.engine.end?.();
  }

  private call<Answer>(request: object): Promise<Answer> {
    const asked = this.last.then(async () => {
      const answer = JSON.parse(await this.engine.send(JSON.stringify(request)));
      if (answer.error) {
        throw new Refused(answer.error);
      }
      return answer.ok as Answer;
    });
    this.last = asked.catch(() => undefined);
    return asked;
  }
}
