// Chromium, if there is one.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const found = PLACES.find((place) => place && existsSync(place));

/** Why there is no browser, for tests that are left out. */
export const missing = found ? false : "there is no chromium: apt-get install chromium, or set CHROMIUM";

export const launch = () => chromium.launch({ executablePath: found, args: ["--no-sandbox"] });

export const SIZES = [
  { width: 1920, height: 1080 },
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** What is run in a page to look for what shuts people out. */
export const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A page whose errors and CSP violations are kept in `problems`. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: SIZES[1], ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") {
      problems.push(message.text());
    }
  });
  return { page, context, problems };
}

/** Opens a link and waits until its moment is there. */
export async function open(page, url, fragment) {
  await page.goto("about:blank");
  await page.goto(`${url}/${fragment}`);
  await page.waitForSelector(".pane .port");
  await page.waitForFunction(
    () => !/simulating/.test(document.querySelector(".clock span").textContent),
    null,
    {
      timeout: 120_000,
    },
  );
}
