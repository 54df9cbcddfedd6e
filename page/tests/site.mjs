// The site in a browser, for all tests of a file: there before the first, gone after the last.
import { after, before } from "node:test";
import { launch, missing } from "./browser.mjs";
import { missing as noEngine, serveSite } from "./engine.mjs";

/** Why the tests of a site are left out, if they are. */
export const skip = missing || noEngine;
export let browser;
export let site;

before(async () => {
  if (!skip) {
    [browser, site] = await Promise.all([launch(), serveSite()]);
  }
});
after(async () => {
  await browser?.close();
  await site?.stop();
});
