// Budgets of what is sent, compressed.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const BUDGETS = { "app.js": 60_000, "style.css": 8_000, "index.html": 8_000 };
const RECORDING = 30_000;

for (const [file, most] of Object.entries(BUDGETS)) {
  test(`${file} has at most ${most} bytes compressed`, async () => {
    const size = gzipSync(await readFile(new URL(`../dist/${file}`, import.meta.url)), { level: 9 }).length;
    assert.ok(size <= most, `${size} bytes`);
  });
}

test(`the recording has at most ${RECORDING} bytes`, async () => {
  const { length } = await readFile(new URL("../dist/recording.json.gz", import.meta.url));
  assert.ok(length <= RECORDING, `${length} bytes`);
});
