// Records the run that is shown where no simulation can run: src/recording.json.gz. Needs the simulation as wasm.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { engineHere } from "./tests/engine.mjs";

const SHOP = { scenario: "sticky-crash", designs: [2, 4], set: ["users.count=42"], user: 42 };
/** Eight seconds before the crash, and what follows. */
const [FROM, TO] = [22, 34];

const engine = await engineHere();
async function call(request) {
  const { ok, error } = JSON.parse(await engine.send(JSON.stringify(request)));
  if (error) {
    throw new Error(error.message);
  }
  return ok;
}

const entries = await call({ call: "scenarios" });
const load = await call({ call: "load", ...SHOP });
const runs = [];
for (const opened of load.runs) {
  const { run } = opened;
  await call({ call: "advance", run, until: FROM, most_events: 1_000_000 });
  opened.keyframe = await call({ call: "snapshot", run });
  opened.design.end = TO;
  const batches = [];
  for (let until = FROM + 1; until <= TO; until++) {
    const batch = await call({ call: "advance", run, until, most_events: 1_000_000 });
    // What a server does is told again in each keyframe.
    batches.push({ ...batch, events: batch.events.filter(({ is }) => is !== "load") });
  }
  const film = await call({ call: "story", run, user: SHOP.user });
  runs.push({ batches, film, timeline: await call({ call: "timeline", run }) });
}
const scenarios = entries.filter(({ name }) => name === SHOP.scenario);
/** Leaves out what is not drawn: requests under way are known from their events, and until when a user thinks is never shown. */
function drawn(key, value) {
  if (key === "requests") {
    return [];
  }
  if (Array.isArray(value) && value.length === 11 && typeof value[5] === "string") {
    return value.with(6, null);
  }
  // A hundredth of a second is enough for the eye.
  return typeof value === "number" ? Math.round(value * 100) / 100 : value;
}
const text = JSON.stringify({ scenarios, load, runs }, drawn);
const bytes = gzipSync(text, { level: 9 });
await writeFile(fileURLToPath(new URL("src/recording.json.gz", import.meta.url)), bytes);
process.stdout.write(`${bytes.length} bytes\n`);
