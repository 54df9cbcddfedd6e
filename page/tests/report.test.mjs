// A report that the program writes, served as Jenkins serves it: no violation, nothing for axe, legible on a phone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { axe, launch, missing, newPage, SIZES } from "./browser.mjs";

const program = process.env.WHATCART;
const skip = missing || (program && existsSync(program) ? false : "WHATCART does not name the program");

/** What Jenkins sends with reports of builds. */
const POLICY = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'";
const TYPES = { "report.html": "text/html; charset=utf-8", "film.svg": "image/svg+xml" };

let browser;
let folder;
let server;
let url;

before(async () => {
  if (skip) {
    return;
  }
  folder = await mkdtemp(join(tmpdir(), "whatcart-report-"));
  const files = ["--html", join(folder, "report.html"), "--film", join(folder, "film.svg")];
  await promisify(execFile)(program, ["run", "sticky-crash", "--quiet", ...files]);
  server = createServer(async (request, response) => {
    const name = request.url.slice(1);
    if (!TYPES[name]) {
      response.writeHead(204).end(); // browsers ask for a favicon
      return;
    }
    response.writeHead(200, { "content-type": TYPES[name], "content-security-policy": POLICY });
    response.end(await readFile(join(folder, name)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  if (folder) {
    await rm(folder, { recursive: true });
  }
});

/** Everything that the browser refuses or complains about. */
async function visited(name) {
  const { page, context, problems } = await newPage(browser);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("console", (message) => message.type() !== "error" && problems.push(message.text()));
  await page.goto(`${url}/${name}`);
  await page.waitForTimeout(300);
  await context.close();
  return { problems, asked: asked.filter((path) => path !== "/favicon.ico") };
}

test("where scripts and styles are forbidden nothing is refused, and nothing is asked for", {
  skip,
}, async () => {
  for (const name of Object.keys(TYPES)) {
    assert.deepEqual(await visited(name), { problems: [], asked: [`/${name}`] });
  }
});

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of SIZES) {
    test(`axe finds nothing in a report: ${colorScheme}, ${viewport.width}`, { skip }, async () => {
      // The check itself is a script.
      const { page, context } = await newPage(browser, { viewport, colorScheme });
      await page.setContent(await readFile(join(folder, "report.html"), "utf8"));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 4)}`),
        [],
      );
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
        "nothing sticks out",
      );
      await context.close();
    });
  }
}

test("words stay inside their pictures", { skip }, async () => {
  const { page, context } = await newPage(browser);
  await page.setContent(await readFile(join(folder, "report.html"), "utf8"));
  const outside = await page.evaluate(() =>
    [...document.querySelectorAll("svg text")]
      .filter((text) => {
        const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
        return (
          inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1
        );
      })
      .map((text) => text.textContent),
  );
  assert.deepEqual(outside, []);
  await context.close();
});

test("a film moves without a script, as an image too", { skip }, async () => {
  const { page, context } = await newPage(browser, { viewport: { width: 960, height: 540 } });
  await page.goto(`${url}/film.svg`);
  const seen = async (seconds) => {
    await page.evaluate((at) => {
      document.documentElement.pauseAnimations();
      document.documentElement.setCurrentTime(at);
    }, seconds);
    return page.evaluate(() =>
      [...document.querySelectorAll("text")]
        .filter((text) => text.getClientRects().length > 0)
        .map((text) => text.textContent),
    );
  };
  const duration = await page.evaluate(() =>
    Number.parseFloat(document.querySelector("animate").getAttribute("dur")),
  );
  const [first, last] = [await seen(0.1), await seen(duration - 0.1)];
  assert.ok(first.includes("0:23.4 adds mug") && !first.includes("0:34.7 checks out"), `${first}`);
  assert.ok(last.includes("0:34.7 checks out") && last.some((line) => /carts lost/.test(line)), `${last}`);
  assert.deepEqual(await seen(duration + 0.1), first, "it begins again");
  await page.goto("about:blank");
  await page.setContent(
    `<img src="data:image/svg+xml;base64,${(await readFile(join(folder, "film.svg"))).toString("base64")}">`,
  );
  await page.waitForFunction(() => document.querySelector("img").naturalWidth > 0);
  await context.close();
});
