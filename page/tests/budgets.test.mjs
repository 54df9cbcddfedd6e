// How long the page works and how much it keeps. Times are relative to a loop of arithmetic on the same machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newPage, open } from "./browser.mjs";
import { browser, site, skip } from "./site.mjs";

/** The median frame, as a share of the loop. */
const FRAME = 1.5;

/** Notes how long each frame's script takes, and how often something is painted. */
function watchFrames() {
  window.frames_ms = [];
  window.paints = 0;
  const { requestAnimationFrame: ask } = window;
  window.requestAnimationFrame = (frame) =>
    ask.call(window, (now) => {
      const begin = performance.now();
      frame(now);
      window.frames_ms.push(performance.now() - begin);
    });
  const { clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    window.paints += 1;
    clearRect.apply(this, box);
  };
}

/** The median time of a fixed piece of arithmetic, in milliseconds. */
function calibrate() {
  const times = [];
  for (let round = 0; round < 5; round++) {
    const begin = performance.now();
    let x = 1;
    for (let i = 0; i < 2_000_000; i++) {
      x = Math.imul(x ^ (x >>> 13), 0x2c1b3c6d) + i;
    }
    times.push(performance.now() - begin + (x === 0 ? 1 : 0));
  }
  return times.sort((a, b) => a - b)[2];
}

test("a frame of two designs takes little time", { skip, timeout: 120_000 }, async (context) => {
  const { page } = await newPage(browser);
  await page.addInitScript(watchFrames);
  await open(page, site.url, "#s=sticky-crash&t=28");
  await page.keyboard.press(" ");
  const medians = [];
  for (let round = 0; round < 5; round++) {
    await page.evaluate(() => {
      window.frames_ms = [];
    });
    await page.waitForTimeout(2_000);
    const frames = await page.evaluate(() => window.frames_ms.filter((ms) => ms > 0.3).sort((a, b) => a - b));
    medians.push(frames[Math.floor(frames.length / 2)] / (await page.evaluate(calibrate)));
  }
  const median = medians.sort((a, b) => a - b)[2];
  context.diagnostic(`a frame takes ${median.toFixed(2)} times the loop`);
  assert.ok(median < FRAME, `${median} times the loop`);
});

test("nothing is drawn while it stands still", { skip }, async () => {
  const { page } = await newPage(browser);
  await page.addInitScript(watchFrames);
  await open(page, site.url, "#s=sticky-crash&t=28");
  await page.waitForTimeout(1_500);
  const before = await page.evaluate(() => window.paints);
  await page.waitForTimeout(1_500);
  assert.equal(await page.evaluate(() => window.paints), before);
});

test("a whole run of two designs fits into 64 MB", { skip, timeout: 300_000 }, async (context) => {
  const { page, context: pages } = await newPage(browser);
  await open(page, site.url, "#s=sticky-crash&t=28");
  await page.keyboard.press("End");
  await page.waitForSelector("dialog[open]", { timeout: 240_000 });
  const devtools = await pages.newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  await devtools.send("Performance.enable");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const used = metrics.find(({ name }) => name === "JSHeapUsedSize").value / 1e6;
  context.diagnostic(`${used.toFixed(1)} MB`);
  assert.ok(used < 64, `${used} MB`);
});
