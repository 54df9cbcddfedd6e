// Every mode of the page: nothing for axe to find, and the whole tour by keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, newPage, open, SIZES } from "./browser.mjs";
import { importSource } from "./modules.mjs";
import { browser, site, skip } from "./site.mjs";

const source = await importSource("testing.ts");

/** The modes, and how to get into them. */
const MODES = [
  { name: "tour", link: "#tour/4", enter: async () => {} },
  { name: "six designs", link: "#s=zero-downtime-deploy&p=1,2,3,4,5,8&t=33", enter: async () => {} },
  { name: "regions", link: "#s=region-outage&t=41", enter: async () => {} },
  {
    name: "film",
    link: "#s=sticky-crash&t=31",
    enter: async (page) => {
      await page.keyboard.press("e");
      await page.waitForSelector(".film.large");
    },
  },
  {
    name: "fork",
    link: "#s=sticky-crash&t=29",
    enter: async (page) => {
      await page.keyboard.press("f");
      await page.waitForSelector("dialog[open]");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".pane.branch", { state: "attached" });
      await page.keyboard.press(".");
      await page.waitForFunction(() => /49 carts differ/.test(document.querySelector(".bet").textContent));
      await page.keyboard.press(" ");
      await page.locator(".bet button").click();
      await page.waitForSelector("dialog[open] .line-item");
    },
  },
];

for (const theme of ["light", "dark"]) {
  for (const viewport of SIZES) {
    test(`axe finds nothing in any mode: ${theme}, ${viewport.width} x ${viewport.height}`, {
      skip,
    }, async () => {
      for (const { name, link, enter } of MODES) {
        const { page, context } = await newPage(browser, { viewport, colorScheme: theme, bypassCSP: true });
        await open(page, site.url, link);
        await enter(page);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
        const found = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).slice(0, 4)}`,
        );
        assert.deepEqual(found, [], name);
        await context.close();
      }
    });
  }
}

test("the whole tour by keyboard alone, with its guesses", { skip, timeout: 300_000 }, async () => {
  const { page, problems } = await newPage(browser);
  await open(page, site.url, "#tour/1");
  for (const [index, step] of source.STEPS.entries()) {
    await page.waitForFunction(
      ([number, scenario]) =>
        location.hash === `#tour/${number}` &&
        document.querySelector(".steps [aria-current] b")?.textContent === String(number) &&
        document.title.startsWith(scenario) &&
        document.querySelector(".pane .port") !== null,
      [index + 1, step.scenario],
    );
    if (step.asks) {
      await page.keyboard.press("g");
      await page.waitForSelector("dialog[open] .ask");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForSelector("dialog", { state: "detached" });
    }
    await page.keyboard.press(index % 2 === 0 ? "n" : "PageDown");
  }
  assert.deepEqual(problems, []);
});

test("every key does something, and says what", () => {
  const commands = source.KEYS.map(({ command }) => command);
  assert.deepEqual(
    commands.filter((command) => command !== "server" && !source.isPerformed(command)),
    [],
  );
  const keys = source.KEYS.flatMap((key) => key.keys.map((name) => `${key.shift ?? ""} ${name}`));
  assert.equal(new Set(keys).size, keys.length, "no key is used twice");
  assert.ok(source.KEYS.every(({ does }) => does.length > 5));
});
