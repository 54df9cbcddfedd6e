// A smoke test in Firefox: the page opens, plays, and a server can be killed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { missing as noEngine, serveSite } from "./engine.mjs";
import { launch, missing } from "./firefox.mjs";

const skip = missing || noEngine;

test("the page works in Firefox", { skip, timeout: 180_000 }, async (context) => {
  const site = await serveSite();
  context.after(() => site.stop());
  const { session, close } = await launch();
  context.after(close);
  const until = async (script, what) => {
    for (let tries = 0; tries < 300; tries++) {
      if (await session.evaluate(script)) {
        return;
      }
      await pause(200);
    }
    assert.fail(what);
  };
  await session.send("WebDriver:Navigate", { url: `${site.url}/#v=1&s=sticky-crash&t=31` });
  await until(`document.querySelector(".server.dead") !== null`, "server-2 is dead");
  const painted = `[...document.querySelectorAll(".pane canvas")].filter((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
  }).length`;
  await until(`${painted} === 4`, "both layers of both panes are painted");
  assert.match(await session.evaluate(`document.querySelector(".counts .lost dd").textContent`), /^49$/);
  await session.evaluate(`document.querySelector(".bar .play").click()`);
  await until(`!document.querySelector(".clock b").textContent.startsWith("0:31.0")`, "it plays");
  await session.evaluate(`document.querySelectorAll(".pane .server")[0].click()`);
  await until(`document.querySelectorAll(".pane .server.dead").length > 2`, "server-1 dies in both designs");
});
