// Something that answers calls, for tests.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export async function startEngine() {
  const children = [];
  return {
    url: process.env.PAGE_URL,
    open() {
      const child = spawn(process.env.PAGE_ENGINE);
      children.push(child);
      const waiting = [];
      createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()(line));
      return {
        how: "http",
        send: (request) =>
          new Promise((resolve) => {
            waiting.push(resolve);
            child.stdin.write(`${request}\n`);
          }),
      };
    },
    stop: () => children.map((child) => child.kill()),
  };
}
