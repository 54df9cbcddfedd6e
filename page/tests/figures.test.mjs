// What the page shows at the end is what the command line prints: every design of every scenario, over wasm and over HTTP.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { engineHere, missing } from "./engine.mjs";
import { importSource } from "./modules.mjs";

const page = await importSource("testing.ts");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = [
  process.env.WHATCART,
  here("../../target/release/whatcart"),
  here("../../target/debug/whatcart"),
].find((place) => place && existsSync(place));
const noProgram = program ? false : "there is no whatcart: cargo build first, or set WHATCART";
/** By HTTP some are enough: the calls are the same. */
const BY_HTTP = ["what-cart", "sticky-crash", "two-tabs", "serverless"];

async function compare(engine, chosen) {
  const calls = new page.Calls(engine);
  let compared = 0;
  for (const { name, designs } of (await calls.scenarios()).filter(({ name }) => chosen(name))) {
    const { stdout } = await promisify(execFile)(program, ["run", name, "--format", "json"], {
      maxBuffer: 1e9,
    });
    const report = JSON.parse(stdout);
    for (const index of designs.keys()) {
      const opened = await calls.load({ scenario: name, designs: [index + 1] }).catch((problem) => {
        assert.equal(problem.refusal?.kind, "size", `${name}: ${problem.message}`);
        return null;
      });
      if (opened) {
        for (let over = false; !over; ) {
          over = (await calls.advance(0, opened.runs[0].design.end)).over;
        }
        const figures = await calls.figures(0);
        // What the report says besides the figures is not compared.
        const expected = Object.fromEntries(
          Object.keys(figures).map((key) => [key, report.variants[index][key]]),
        );
        assert.deepEqual(figures, expected, `${name}, design ${index + 1}`);
        compared += 1;
      }
    }
  }
  return compared;
}

test("figures over wasm", { skip: missing || noProgram, timeout: 1_800_000 }, async () => {
  const quick = process.env.PAGE_QUICK ? (name) => BY_HTTP.includes(name) : () => true;
  assert.ok((await compare(await engineHere(), quick)) > 10);
});

test("figures over HTTP", { skip: noProgram, timeout: 600_000 }, async () => {
  const server = spawn(program, ["serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await new Promise((resolve, reject) => {
      createInterface({ input: server.stdout }).on("line", (line) => {
        const found = /http:\/\/[^\s/]+/.exec(line);
        if (found) {
          resolve(found[0]);
        }
      });
      server.on("exit", () => reject(new Error("`whatcart serve` ended")));
    });
    const headers = { "content-type": "application/json", origin: url, "x-whatcart-page": "figures-test" };
    const send = async (request) =>
      (await fetch(`${url}/call`, { method: "POST", headers, body: request })).text();
    assert.ok((await compare({ how: "http", send }, (name) => BY_HTTP.includes(name))) > 10);
  } finally {
    server.kill();
  }
});
