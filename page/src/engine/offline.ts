/** A service worker: keeps the page, so that it opens without a network. The network comes first: it is newer. */

const FILES = [
  "./",
  "app.js",
  "worker.js",
  "style.css",
  "icon.svg",
  "engine.json",
  "recording.json.gz",
  "whatcart.wasm",
];
const CACHE = "whatcart";

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

self.addEventListener("install", (event) => {
  const keep = async () => (await caches.open(CACHE)).addAll(FILES);
  (event as Extendable).waitUntil(keep());
});

self.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) {
    (event as Fetching).respondWith(newest(request));
  }
});

async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      await cache.put(request, answer.clone());
    }
    return answer;
  } catch {
    return (await cache.match(request)) ?? Response.error();
  }
}
