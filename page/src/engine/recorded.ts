/** A run that was recorded, for where no simulation can run. It can be watched; nothing can be done to it. */

import type { Batch, Engine } from "./engine.ts";

interface Recording {
  readonly scenarios: unknown;
  readonly load: unknown;
  readonly runs: readonly {
    readonly batches: readonly Batch[];
    readonly film: unknown;
    readonly timeline: unknown;
  }[];
}

interface Request {
  readonly call: string;
  readonly run?: number;
  readonly until?: number;
}

const REFUSAL = {
  kind: "session",
  message: "This is a recording: it can be watched, and nothing else.",
  help: "`whatcart serve` runs the simulation on this machine",
};

export class Recorded implements Engine {
  readonly how = "recording";

  private constructor(private readonly recording: Recording) {}

  static async open(): Promise<Recorded> {
    const { body } = await fetch("recording.json.gz");
    const text = body?.pipeThrough(new DecompressionStream("gzip"));
    return new Recorded(await new Response(text).json());
  }

  async send(text: string): Promise<string> {
    const answer = this.answer(JSON.parse(text));
    return JSON.stringify(answer === undefined ? { error: REFUSAL } : { ok: answer });
  }

  private answer({ call, run = 0, until = 0 }: Request): unknown {
    const { scenarios, load, runs } = this.recording;
    switch (call) {
      case "scenarios":
        return scenarios;
      case "load":
        return load;
      case "advance":
        return runs[run]?.batches.find(({ now }) => now >= until - 1e-9);
      case "timeline":
        return runs[run]?.timeline;
      case "story":
        return runs[run]?.film;
    }
  }
}
