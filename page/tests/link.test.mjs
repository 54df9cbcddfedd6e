// Links say what is shown, and survive whatever is in them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { importSource } from "./modules.mjs";

const page = await importSource("testing.ts");

/** Every link that was ever published must be understood for ever, here and in the terminal. */
const PUBLISHED = JSON.parse(readFileSync(new URL("../../tests/links.json", import.meta.url), "utf8"));

for (const { link, tour = null, says = {}, ignored = [] } of PUBLISHED) {
  test(`a published link: ${link || "none"}`, () => {
    const read = page.readLink(link);
    assert.equal(read.tour, tour);
    for (const [key, value] of Object.entries(says)) {
      assert.deepEqual(read[key], value, key);
    }
    assert.deepEqual(read.ignored, ignored);
  });
}

/** Numbers from 0 to 1 that are the same in every run. */
function dice(seed) {
  let x = seed;
  return () => {
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
  };
}

test("what is written is read again", () => {
  for (let seed = 0; seed < 500; seed++) {
    const roll = dice(seed);
    const pick = (choices) => choices[Math.floor(roll() * choices.length)];
    const deeds = Array.from({ length: Math.floor(roll() * 4) }, () => ({
      at: Math.round(roll() * 1e5) / 1000,
      fault: pick([
        { crash: "server-1" },
        { crash: "server-12", replace_after: "1500ms" },
        { deploy: {} },
        { store: "outage", for: "10s" },
        { slow: "server-3", factor: 10 },
      ]),
    })).sort((a, b) => a.at - b.at);
    const link = {
      ...page.FIRST,
      scenario: pick(["grow", "two-tabs"]),
      designs: pick([[], [1], [2, 7], [1, 2, 3, 4, 5, 6]]),
      seed: pick([null, 0, 2 ** 52]),
      set: pick([[], ["a=1"], ['x.y={z="&=#%"}', 'b="ü"']]),
      deeds,
      t: pick([null, 0, 12.5]),
      user: pick([42, 1]),
    };
    assert.deepEqual(page.readLink(page.writeLink(link)), link);
  }
});

test("hostile links are ignored in part or in whole, and never throw", () => {
  const parts = [
    "s=",
    "<img src=x onerror=alert(1)>",
    "%00",
    "%zz",
    "__proto__",
    "do=",
    "~~~",
    ":::",
    "1e999",
    "-1",
    "t=NaN",
    "&&",
    "p=1,2,3,4,5,6,7",
    "p=2,2",
    "💥",
  ];
  for (let seed = 0; seed < 2_000; seed++) {
    const roll = dice(seed + 7);
    const text = Array.from({ length: 6 }, () => parts[Math.floor(roll() * parts.length)]).join(
      roll() < 0.5 ? "&" : "",
    );
    const link = page.readLink(`#${text}`);
    assert.match(link.scenario, /^[a-z0-9-]+$/);
    assert.ok(link.t === null || Number.isFinite(link.t));
  }
  assert.equal(page.readLink(`#s=${"a".repeat(1e6)}`).scenario, page.FIRST.scenario);
});

test("the command that repeats a run has what was done by hand", () => {
  const link = page.readLink("#v=1&s=sticky-crash&seed=7&do=20:crash:server-2~25:revive:server-2&u=17");
  assert.equal(
    page.commandLine(link),
    "whatcart run sticky-crash --seed 7 --do 20:crash:server-2 --do 25:revive:server-2 --follow 17",
  );
});

test("the command for a scenario of one's own names the file that it is to be saved as", () => {
  const link = { ...page.FIRST, scenario: "my-own", text: "title = 'mine'" };
  assert.equal(page.commandLine(link), "whatcart run my-own.toml");
});
