/** Finds something that answers calls: what `engine.json` names, else the other, else a recording. */

import type { Engine } from "./engine.ts";
import { Recorded } from "./recorded.ts";

type Message = { ready: true } | { answer: string } | { failed: string };

/** The simulation in a worker of this browser. */
class InWorker implements Engine {
  readonly how = "wasm";
  private waiting: { resolve: (answer: string) => void; reject: (error: Error) => void } | null = null;

  private constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      const { waiting } = this;
      this.waiting = null;
      if ("answer" in data) {
        waiting?.resolve(data.answer);
      } else if ("failed" in data) {
        waiting?.reject(new Error(`The simulation has stopped: ${data.failed}. Load the page again.`));
      }
    };
  }

  static start(): Promise<InWorker> {
    return new Promise((resolve, reject) => {
      const worker = new Worker("worker.js", { type: "module" });
      worker.onerror = () => reject(new Error("the worker does not start"));
      worker.onmessage = ({ data }: MessageEvent<Message>) => {
        if ("ready" in data) {
          resolve(new InWorker(worker));
        } else {
          reject(new Error("failed" in data ? data.failed : "unexpected"));
        }
      };
    });
  }

  end(): void {
    this.worker.terminate();
  }

  /** One at a time: `Calls` waits for an answer before it sends the next request. */
  send(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.worker.postMessage(request);
    });
  }
}

/** `whatcart serve` answers calls over HTTP. It keeps what each page has open, by a name that a reload does not change. */
class OverHttp implements Engine {
  readonly how = "http";
  private readonly page: string;

  constructor(purpose: string) {
    this.page = `${tabName()}-${purpose}`;
  }

  async send(request: string): Promise<string> {
    const headers = { "content-type": "application/json", "x-whatcart-page": this.page };
    let answer: Response;
    try {
      answer = await fetch("call", { method: "POST", body: request, headers });
    } catch {
      throw new Error(
        "`whatcart serve` does not answer any more. Start it again, then load this page again.",
      );
    }
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`The server refuses (${answer.status}): ${text.slice(0, 300)}`);
    }
    return text;
  }
}

/** A name for this tab of the browser. */
function tabName(): string {
  const key = "whatcart.tab";
  const fresh = () => crypto.getRandomValues(new Uint32Array(2)).join("-");
  try {
    const name = sessionStorage.getItem(key) ?? fresh();
    sessionStorage.setItem(key, name);
    return name;
  } catch {
    return fresh();
  }
}

/** What is written in `engine.json`, beside the page. */
async function named(): Promise<string> {
  try {
    const { engine } = await (await fetch("engine.json")).json();
    return String(engine);
  } catch {
    return "wasm";
  }
}

/** `purpose` tells several engines of one page apart. Without any simulation there is a recording. */
export async function connect(purpose: string): Promise<Engine> {
  const http = new OverHttp(purpose);
  if ((await named()) === "http") {
    return http;
  }
  try {
    return await InWorker.start();
  } catch {
    return (await answers(http)) ? http : Recorded.open();
  }
}

async function answers(engine: Engine): Promise<boolean> {
  try {
    JSON.parse(await engine.send('{"call":"scenarios"}'));
    return true;
  } catch {
    return false;
  }
}
