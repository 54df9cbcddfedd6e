// What answers calls, for tests: the simulation as wasm, in this process or in a browser that loads the built page.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PLACES = [
  process.env.WHATCART_WASM,
  here("../../target/site/whatcart.wasm"),
  here("../../target/wasm32-unknown-unknown/wasm/whatcart_wasm.wasm"),
];
const wasm = PLACES.find((place) => place && existsSync(place));

/** Why there is no simulation, for tests that are left out. */
export const missing = wasm ? false : "there is no whatcart.wasm: run scripts/build-site first";

/** A fresh simulation in this process. */
export async function engineHere() {
  const { instance } = await WebAssembly.instantiate(await readFile(wasm), {});
  const { memory, alloc, call, free } = instance.exports;
  return {
    how: "wasm",
    async send(request) {
      const bytes = new TextEncoder().encode(request);
      const at = alloc(bytes.length);
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      const answer = BigInt.asUintN(64, call(at, bytes.length));
      const [place, length] = [Number(answer >> 32n), Number(answer & 0xffffffffn)];
      const text = new TextDecoder().decode(new Uint8Array(memory.buffer, place, length));
      free(place, length);
      return text;
    },
  };
}

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves the built page as any web server would, with the policy that it is made for. */
export async function serveSite() {
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    const file = name === "whatcart.wasm" ? wasm : /^[a-z.]+$/.test(name) ? here(`../dist/${name}`) : "";
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(name)] ?? "application/octet-stream",
      "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    });
    response.end(await readFile(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
