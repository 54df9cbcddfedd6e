// Every design of every scenario that a page can open has the same figures as wasm as from the program.
// usage: node bindings/wasm/gate.mjs WHATCART WASM [SCENARIO ...]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const [program, file, ...only] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const { memory, alloc, call, free } = instance.exports;

function ask(request) {
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const at = alloc(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  const answer = BigInt.asUintN(64, call(at, bytes.length));
  const [place, length] = [Number(answer >> 32n), Number(answer & 0xffffffffn)];
  const { ok, error } = JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, place, length)));
  free(place, length);
  if (error && error.kind !== "size") throw new Error(`${JSON.stringify(request)}: ${error.message}`);
  return { ok, error };
}

let [same, left, wrong] = [0, 0, 0];
for (const { name, designs } of ask({ call: "scenarios" }).ok) {
  if (only.length > 0 && !only.includes(name)) continue;
  let report;
  for (const [at, design] of designs.entries()) {
    const { error } = ask({ call: "load", scenario: name, designs: [at + 1] });
    if (error) {
      left += 1;
      console.log(`left out: ${name}, ${error.message}`);
      continue;
    }
    for (let over = false; !over; ) over = ask({ call: "advance", run: 0, until: 1e6 }).ok.over;
    const figures = ask({ call: "figures", run: 0 }).ok;
    report ??= JSON.parse(execFileSync(program, ["run", name, "--format", "json", "--quiet"], { maxBuffer: 1 << 28 }));
    const { name: _, runs, ...told } = report.variants[at];
    // What the report says besides the figures is not compared.
    const wanted = Object.fromEntries(Object.keys(figures).map((key) => [key, told[key]]));
    if (isDeepStrictEqual(figures, wanted)) {
      same += 1;
    } else {
      wrong += 1;
      console.error(`${name}, ${design}: the figures differ`);
    }
  }
}
console.log(`${same} designs have the same figures, ${left} are too large for a page`);
process.exit(wrong > 0 || same === 0 ? 1 : 0);
