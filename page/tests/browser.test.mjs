// The page in a browser: by keyboard alone, by touch alone, for screen readers, with hostile links, offline.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, newPage, open, SIZES } from "./browser.mjs";
import { browser, site, skip } from "./site.mjs";

const text = (page, selector) => page.locator(selector).first().textContent();
const lost = async (page) => Number((await text(page, ".pane .lost dd")).replaceAll(",", ""));

async function until(page, condition, what) {
  await page.waitForFunction(condition, null, { timeout: 60_000 }).catch(() => assert.fail(what));
}

test("by keyboard alone: play, kill, revive, scrub, help, list", { skip }, async () => {
  const { page, problems } = await newPage(browser);
  await open(page, site.url, "#s=sticky-crash&t=20");
  assert.equal(await lost(page), 0);
  await page.keyboard.press("2");
  await until(
    page,
    () => document.querySelectorAll(".server.dead").length === 2,
    "server-2 is dead in both designs",
  );
  assert.ok((await lost(page)) > 30, "its carts are gone");
  assert.match(await text(page, ".caption"), /Server-2 crashes: \d+ open carts gone/);
  await page.keyboard.press("2");
  await until(page, () => document.querySelectorAll(".server.dead").length < 2, "server-2 comes back");
  await page.keyboard.press("Shift+ArrowLeft");
  await until(
    page,
    () => document.querySelector(".clock b").textContent.startsWith("0:10"),
    "ten seconds back",
  );
  assert.equal(await lost(page), 0);
  await page.keyboard.press(" ");
  await until(page, () => !document.querySelector(".clock b").textContent.startsWith("0:10"), "it plays");
  await page.keyboard.press(" ");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open] .keys");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.keyboard.press("o");
  await page.waitForSelector("dialog[open] .list");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await until(page, () => location.hash.includes("s=grow"), "another scenario opens");
  assert.deepEqual(problems, []);
});

test("by touch alone: a tap kills a server, a tap on a seat follows its user, the timeline is dragged", {
  skip,
}, async () => {
  const { page, problems } = await newPage(browser, { viewport: SIZES[2], hasTouch: true, isMobile: true });
  await open(page, site.url, "#s=sticky-crash&t=20");
  await page.locator(".pane.on .server").nth(1).tap();
  await until(page, () => document.querySelector(".pane.on .server.dead") !== null, "the server is dead");
  await page.locator(".tabs button").nth(1).tap();
  await until(page, () => document.querySelectorAll(".pane")[1].classList.contains("on"), "the other design");
  const line = await page.locator(".line").boundingBox();
  await page.touchscreen.tap(line.x + 20, line.y + line.height / 2);
  await until(page, () => Number(document.querySelector(".line").getAttribute("aria-valuenow")) < 15, "back");
  const crowd = await page.locator(".pane.on .users .plate").boundingBox();
  await page.touchscreen.tap(crowd.x + 4, crowd.y + 4);
  await until(
    page,
    () => document.querySelector(".who b").textContent === "User 1",
    "another user is followed",
  );
  for (const box of await page.locator(".top button, .tabs button, .bar .play, .touch-only button").all()) {
    const size = await box.boundingBox();
    assert.ok(
      !size || (size.width >= 43.5 && size.height >= 43.5),
      `large enough to be pressed: ${await box.textContent()}`,
    );
  }
  assert.ok(
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    "nothing sticks out",
  );
  assert.deepEqual(problems, []);
});

for (const theme of ["light", "dark"]) {
  for (const viewport of SIZES) {
    test(`axe finds nothing: ${theme}, ${viewport.width} x ${viewport.height}`, { skip }, async () => {
      const { page, context } = await newPage(browser, { viewport, colorScheme: theme, bypassCSP: true });
      const check = async (mode) => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
        const found = violations.map(
          (v) =>
            `${v.id}: ${v.nodes
              .map((n) => n.target.join(" "))
              .slice(0, 4)
              .join(", ")}`,
        );
        assert.deepEqual(found, [], mode);
      };
      await open(page, site.url, "#s=sticky-crash&t=31");
      await check("play");
      for (const key of ["?", "o", "a", "c", "w", "f", "x", "g"]) {
        await page.keyboard.press(key);
        await page.waitForSelector("dialog[open]");
        await check(`dialog of ${key}`);
        await page.keyboard.press("Escape");
        await page.waitForSelector("dialog", { state: "detached" });
      }
      await page.keyboard.press("e");
      await check("film enlarged");
      await context.close();
    });
  }
}

test("hostile links open something, and no markup of theirs", { skip }, async () => {
  const { page, problems } = await newPage(browser);
  const links = [
    "#s=<img src=x onerror=alert(1)>",
    "#v=1&s=sticky-crash&set=<img src=x onerror=alert(1)>&t=1e9",
    "#tour/99",
    "#s=sticky-crash&p=0,-1,99&seed=abc&u=-5&do=30:crash:<b>~x&nonsense=%zz",
    `#s=${"a".repeat(1_000_000)}`,
    "#s=__proto__&set=__proto__.x=1",
  ];
  for (const link of links) {
    await page.goto("about:blank");
    await page.goto(`${site.url}/${link}`);
    await page.waitForSelector(".pane, .problem:not([hidden])");
    assert.equal(await page.locator("main img, .toast img").count(), 0, link.slice(0, 60));
  }
  assert.deepEqual(
    problems.filter((problem) => !problem.includes("alert")),
    [],
  );
});

test("an error in a setting is told as the command line tells it", { skip }, async () => {
  const { page } = await newPage(browser);
  await open(page, site.url, "#s=sticky-crash&t=5");
  await page.keyboard.press("a");
  await page.locator(".knobs textarea").fill("servers.cuont=4");
  await page.locator(".knobs .strong").click();
  await page.waitForSelector(".knobs .problem:not([hidden])");
  assert.match(await text(page, ".knobs .problem"), /cuont[\s\S]*count/);
});

test("a reader with reduced motion sees still pictures, one event after the other", { skip }, async () => {
  const { page } = await newPage(browser, { reducedMotion: "reduce" });
  await open(page, site.url, "#s=sticky-crash");
  // Eight seconds before the crash, as soon as they are simulated.
  const at = "0:22.0";
  await page.waitForFunction((start) => document.querySelector(".clock b").textContent === start, at);
  await page.waitForTimeout(1200);
  assert.equal(await text(page, ".clock b"), at, "it does not play by itself");
  await page.keyboard.press(".");
  await page.waitForFunction((before) => document.querySelector(".clock b").textContent !== before, at);
});

test("what happens is told to screen readers, a sentence in four seconds at most", { skip }, async () => {
  const { page } = await newPage(browser);
  await page.addInitScript(() => {
    window.told = [];
    addEventListener("DOMContentLoaded", () => {
      new MutationObserver(() => {
        const status = document.querySelector("[role=status]")?.textContent;
        if (status && status !== window.told.at(-1)?.text) {
          window.told.push({ text: status, at: performance.now() });
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  });
  await open(page, site.url, "#s=sticky-crash&t=29");
  await page.keyboard.press(" ");
  await page.waitForTimeout(13_000);
  const told = await page.evaluate(() => window.told);
  assert.ok(
    told.some(({ text }) => /crashes: 49 open carts gone/.test(text)),
    JSON.stringify(told),
  );
  told.slice(1).forEach(({ at }, index) => {
    assert.ok(at - told[index].at > 3_900, JSON.stringify(told));
  });
});

test("no task is long while it plays", { skip }, async () => {
  const { page } = await newPage(browser);
  await open(page, site.url, "#s=sticky-crash&t=27");
  await browser.startTracing(page, { categories: ["toplevel"] });
  await page.keyboard.press(" ");
  await page.waitForTimeout(8_000);
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  // The processor's time, not the clock's: on a busy machine a task also waits for its turn.
  const tasks = traceEvents.filter(({ name, tdur }) => name.endsWith("RunTask") && tdur !== undefined);
  assert.ok(tasks.length > 500, `${tasks.length} tasks`);
  const long = tasks.map(({ tdur }) => Math.round(tdur / 1000)).filter((duration) => duration > 100);
  assert.deepEqual(long, [], "long tasks, in ms");
});

test("after the first visit it opens without a network", { skip }, async () => {
  const { page, context } = await newPage(browser);
  await open(page, site.url, "#s=sticky-crash&t=3");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector(".pane .port");
  await page.keyboard.press("Shift+ArrowRight");
  await until(page, () => document.querySelector(".clock b").textContent.startsWith("0:13"), "it simulates");
  await context.close();
});

test("nothing is asked of anybody else", { skip }, async () => {
  const { page } = await newPage(browser);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await open(page, site.url, "#s=sticky-crash&t=3");
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(site.url)),
    [],
  );
});

test("without a simulation there is a recording, and it says so", { skip }, async () => {
  const { page } = await newPage(browser);
  await page.route("**/whatcart.wasm", (route) => route.abort());
  await page.goto(site.url);
  await page.waitForSelector(".recording");
  await page.waitForSelector(".pane .port");
  await until(page, () => document.querySelector(".server.dead") !== null, "server-2 dies in it");
  await page.keyboard.press("1");
  await page.waitForSelector(".toast");
  assert.match(await text(page, ".toast"), /recording/);
});
