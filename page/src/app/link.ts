/** Links: the fragment of the address says what is shown. It is read with care, and never as HTML. */

import type { Fault } from "../engine/engine.ts";
import { STEPS } from "./tour.ts";

export interface Deed {
  /** In seconds. */
  readonly at: number;
  readonly fault: Fault;
}

/** What a link says. What it leaves out is left to the scenario. */
export interface Link {
  readonly scenario: string;
  readonly designs: readonly number[];
  readonly seed: number | null;
  readonly set: readonly string[];
  readonly deeds: readonly Deed[];
  readonly t: number | null;
  readonly user: number;
  /** The step of the tour, counted from 1. */
  readonly tour: number | null;
  /** A scenario of one's own; links do not carry it. */
  readonly text: string | null;
  /** Parts that were not understood. */
  readonly ignored: readonly string[];
}

export const FIRST: Link = {
  scenario: "sticky-crash",
  designs: [],
  seed: null,
  set: [],
  deeds: [],
  t: null,
  user: 42,
  tour: null,
  text: null,
  ignored: [],
};

/** So many designs can be compared at once. */
export const MOST_DESIGNS = 6;

/** No link is longer. */
const LONGEST = 16_384;
const KINDS = ["crash", "revive", "replace", "vanish", "slow", "isolate", "deploy", "store"] as const;

export function readLink(fragment: string): Link {
  const text = fragment.replace(/^#/, "");
  if (text.length > LONGEST) {
    return { ...FIRST, ignored: ["a link of more than 16 kB"] };
  }
  const step = /^(?:tour(?:\/(\d{1,2}))?)?$/.exec(text);
  if (step) {
    return tourLink(Number(step[1] ?? 1));
  }
  const link = { ...FIRST, set: [] as string[], deeds: [] as Deed[], ignored: [] as string[] };
  for (const [key, value] of new URLSearchParams(text)) {
    if (!readPart(link, key, value)) {
      link.ignored.push(`${key}=${value}`.slice(0, 60));
    }
  }
  return link;
}

/** A step of the tour; the first one if there is no such step. */
export function tourLink(number: number): Link {
  const tour = STEPS[number - 1] ? number : 1;
  const { scenario, designs } = STEPS[tour - 1]!;
  return { ...FIRST, scenario, designs, tour };
}

type Draft = { -readonly [K in keyof Link]: Link[K] } & { set: string[]; deeds: Deed[] };

function readPart(link: Draft, key: string, value: string): boolean {
  switch (key) {
    case "v":
      return value === "1";
    case "s": {
      const sound = /^[a-z0-9-]{1,60}$/.test(value);
      link.scenario = sound ? value : FIRST.scenario;
      return sound;
    }
    case "p": {
      const designs = value.split(",").map(Number);
      const sound =
        designs.length <= MOST_DESIGNS &&
        new Set(designs).size === designs.length &&
        designs.every((design) => Number.isInteger(design) && design > 0 && design < 100);
      link.designs = sound ? designs : [];
      return sound;
    }
    case "seed":
      link.seed = whole(value, Number.MAX_SAFE_INTEGER);
      return link.seed !== null;
    case "set":
      link.set.push(value);
      return true;
    case "do": {
      const deeds = value.split("~").map(readDeed);
      link.deeds = deeds.filter((deed) => deed !== null).sort((a, b) => a.at - b.at);
      return deeds.every((deed) => deed !== null);
    }
    case "t": {
      const t = Number(value);
      const sound = value !== "" && t >= 0 && t < 1e6;
      link.t = sound ? t : null;
      return sound;
    }
    case "u": {
      const user = whole(value, 1e6);
      link.user = user ?? FIRST.user;
      return user !== null;
    }
    default:
      return key === "" && value === "";
  }
}

const whole = (text: string, most: number): number | null =>
  /^\d{1,16}$/.test(text) && Number(text) <= most ? Number(text) : null;

/** `30:crash:server-2`, `32:revive:server-2`, `30:crash:server-2:5000` (back after so many milliseconds), `50:deploy`, `60:store` */
function readDeed(text: string): Deed | null {
  const [time, kind, server, back] = text.split(":");
  const at = Number(time);
  if (time === undefined || time === "" || !(at >= 0 && at < 1e6)) {
    return null;
  }
  const after = back !== undefined && /^\d{1,9}$/.test(back) ? { replace_after: `${back}ms` } : {};
  const known = KINDS.find((name) => name === kind);
  const named = server !== undefined && /^[a-z]+-\d{1,6}$/.test(server);
  switch (known) {
    case undefined:
      return null;
    case "deploy":
      return { at, fault: { deploy: {} } };
    case "store":
      return { at, fault: { store: "outage", for: "10s" } };
    case "slow":
      return named ? { at, fault: { slow: server, factor: 10 } } : null;
    default:
      return named ? { at, fault: { [known]: server, ...after } } : null;
  }
}

function writeDeed({ at, fault }: Deed): string {
  const kind = KINDS.find((name) => name in fault) ?? "";
  const server = fault[kind];
  const named = kind !== "deploy" && kind !== "store" ? `:${server}` : "";
  const back = typeof fault.replace_after === "string" ? `:${fault.replace_after.replace("ms", "")}` : "";
  return `${Math.round(at * 1000) / 1000}:${kind}${named}${back}`;
}

export function writeLink(link: Link): string {
  if (link.tour !== null) {
    return `#tour/${link.tour}`;
  }
  const parts = ["v=1", `s=${link.scenario}`];
  if (link.designs.length > 0) {
    parts.push(`p=${link.designs.join(",")}`);
  }
  if (link.seed !== null) {
    parts.push(`seed=${link.seed}`);
  }
  parts.push(...link.set.map((patch) => `set=${encodeURIComponent(patch)}`));
  if (link.deeds.length > 0) {
    parts.push(`do=${link.deeds.map(writeDeed).join("~")}`);
  }
  if (link.t !== null) {
    parts.push(`t=${Math.round(link.t * 10) / 10}`);
  }
  if (link.user !== FIRST.user) {
    parts.push(`u=${link.user}`);
  }
  return `#${parts.join("&")}`;
}

/** The command that runs the same, with what was done by hand; a text of one's own once it is saved as a file. */
export function commandLine(link: Link): string {
  const words = ["whatcart", "run", link.text === null ? link.scenario : `${link.scenario}.toml`];
  if (link.seed !== null) {
    words.push("--seed", `${link.seed}`);
  }
  for (const patch of link.set) {
    words.push("--set", /^[\w.=,-]+$/.test(patch) ? patch : `'${patch.replaceAll("'", "'\\''")}'`);
  }
  words.push(...link.deeds.flatMap((deed) => ["--do", writeDeed(deed)]));
  if (link.user !== FIRST.user) {
    words.push("--follow", `${link.user}`);
  }
  return words.join(" ");
}
