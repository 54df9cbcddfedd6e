// What is told of sticky-crash around its crash, word by word. UPDATE_NARRATION=1 writes it anew.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { engineHere, missing } from "./engine.mjs";
import { importSource } from "./modules.mjs";

const page = await importSource("testing.ts");
const golden = new URL("narration.txt", import.meta.url);

test("what matters most is read out, however much follows", async () => {
  const said = [];
  const narrator = new page.Narrator((text) => said.push(text), 50);
  for (const [text, weight] of [
    ["adds mug", 1],
    ["49 carts gone", 4],
    ["server-2 crashes", 5],
    ["a cart is charged without its items", 4],
    ["adds pen", 1],
  ]) {
    narrator.tell(text, weight);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(said, ["adds mug", "server-2 crashes"]);
  narrator.tell("adds lamp", 1);
  assert.equal(said.at(-1), "adds lamp");
});

test("the narration of sticky-crash", { skip: missing }, async () => {
  const calls = new page.Calls(await engineHere());
  const fail = (problem) => assert.fail(problem);
  const show = await page.Show.open(
    calls,
    { scenario: "sticky-crash", designs: [2, 4], user: 42 },
    () => {},
    fail,
  );
  const lines = [];
  for (let tenth = 230; tenth <= 380; tenth++) {
    show.seek(tenth / 10);
    while (show.isBusy) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const caption = page.captionAt(show.runs, show.t);
    const parts = caption?.parts.map(
      ({ runs, text }) => `${runs.map(({ design }) => design.number).join("+")}: ${text}`,
    );
    const line = parts?.join(" | ");
    if (line && !lines.at(-1)?.endsWith(line)) {
      lines.push(`${show.t.toFixed(1)} ${line}`);
    }
  }
  const text = `${lines.join("\n")}\n`;
  if (process.env.UPDATE_NARRATION) {
    await writeFile(golden, text);
  }
  assert.equal(text, await readFile(golden, "utf8"));
});
