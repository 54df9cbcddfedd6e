// Debian's Firefox, driven by Marionette: the protocol that it speaks by itself. Each message is `length:json`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PLACES = [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];
const found = PLACES.find((place) => place && existsSync(place));

/** Why there is no Firefox, for tests that are left out. */
export const missing = found ? false : "there is no firefox: apt-get install firefox-esr, or set FIREFOX";

class Marionette {
  waiting = new Map();
  last = 0;
  buffer = Buffer.alloc(0);

  constructor(socket) {
    this.socket = socket;
    socket.on("data", (data) => this.take(Buffer.concat([this.buffer, data])));
  }

  take(buffer) {
    const colon = buffer.indexOf(":");
    const end = colon + 1 + Number(buffer.subarray(0, Math.max(0, colon)));
    if (colon < 0 || buffer.length < end) {
      this.buffer = buffer;
      return;
    }
    const message = JSON.parse(buffer.subarray(colon + 1, end));
    if (Array.isArray(message)) {
      const [, id, error, result] = message;
      const { resolve, reject } = this.waiting.get(id);
      error ? reject(new Error(`${error.error}: ${error.message}`)) : resolve(result);
    }
    this.take(buffer.subarray(end));
  }

  send(command, parameters = {}) {
    this.last += 1;
    const text = JSON.stringify([0, this.last, command, parameters]);
    this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.waiting.set(this.last, { resolve, reject }));
  }

  async evaluate(script) {
    return (await this.send("WebDriver:ExecuteScript", { script: `return ${script}`, args: [] })).value;
  }
}

async function connect(port) {
  for (let tries = 0; tries < 120; tries++) {
    const socket = await new Promise((resolve) => {
      const attempt = createConnection(port, "127.0.0.1", () => resolve(attempt));
      attempt.on("error", () => resolve(null));
    });
    if (socket) {
      return socket;
    }
    await pause(250);
  }
  throw new Error("Firefox does not listen");
}

/** Starts a Firefox with a profile of its own. */
export async function launch() {
  const profile = await mkdtemp(join(tmpdir(), "whatcart-firefox-"));
  const port = 20_000 + (process.pid % 20_000);
  await writeFile(join(profile, "user.js"), `user_pref("marionette.port", ${port});\n`);
  const options = ["--headless", "--marionette", "--no-remote", "--profile", profile];
  const browser = spawn(found, options, { stdio: "ignore", env: { ...process.env, HOME: profile } });
  const session = new Marionette(await connect(port));
  await session.send("WebDriver:NewSession", { capabilities: { alwaysMatch: {} } });
  const close = async () => {
    browser.kill();
    await new Promise((resolve) => browser.on("exit", resolve));
    await rm(profile, { recursive: true, force: true });
  };
  return { session, close };
}
