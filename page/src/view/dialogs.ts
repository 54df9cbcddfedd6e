/** Everything that opens over the page: lists, menus, help, results. */

import { KEYS } from "../app/keys.ts";
import type { ScenarioEntry } from "../engine/engine.ts";
import type { ServerRow } from "../engine/moments.ts";
import { h } from "./dom.ts";

/** Opens a dialog with a title and a button that closes it. */
export function open(title: string, ...content: readonly (Node | null)[]): HTMLDialogElement {
  for (const other of document.querySelectorAll("dialog")) {
    other.close();
  }
  const close = () => dialog.close();
  const heading = h("h2", { id: "dialog-title" }, title);
  const header = h(
    "header",
    {},
    heading,
    h("button", { type: "button", "aria-label": "Close", onclick: close }, "✕"),
  );
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, header, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) {
      close();
    }
  });
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  // What is to be chosen comes before the way out.
  dialog.querySelector<HTMLElement>(".menu button, .row .strong")?.focus();
  return dialog;
}

/** All scenarios, in the order of the lessons. */
export function openScenarios(
  entries: readonly ScenarioEntry[],
  current: string,
  go: (name: string) => void,
): void {
  const items = entries.map((entry, index) => {
    const choose = () => {
      dialog.close();
      go(entry.name);
    };
    const props = { type: "button", onclick: choose, "aria-current": entry.name === current ? "true" : null };
    return h(
      "li",
      {},
      h(
        "button",
        props,
        h("span.place", {}, index + 1),
        h("span.name", {}, entry.name),
        h("span.title", {}, entry.title),
      ),
    );
  });
  const dialog = open("Scenarios", h("ol.list", {}, ...items));
  dialog.querySelector<HTMLElement>("[aria-current]")?.focus();
}

/** A list of what can be looked at, with a note to each. */
export function openList(
  title: string,
  hint: string,
  items: readonly { readonly label: Node; readonly note: string; readonly action: () => void }[],
): void {
  const rows = items.map(({ label, note, action }) => {
    const choose = () => {
      dialog.close();
      action();
    };
    return h(
      "li",
      {},
      h("button.line-item", { type: "button", onclick: choose }, label, h("span.title", {}, note)),
    );
  });
  const dialog = open(title, h("p.note", {}, hint), h("ol.list", {}, ...rows));
}

export interface Choice {
  readonly label: string | Node;
  readonly action: () => void;
  readonly current?: boolean;
}

/** A short list of things to choose from. */
export function openMenu(title: string, choices: readonly Choice[]): void {
  const buttons = choices.map(({ label, action, current }) => {
    const choose = () => {
      dialog.close();
      action();
    };
    return h("button", { type: "button", onclick: choose, "aria-current": current ? "true" : null }, label);
  });
  const dialog = open(title, h("div.menu", {}, ...buttons));
}

/** What can be done to a server by hand. */
export function serverFaults(server: ServerRow): { label: string; fault: Record<string, unknown> }[] {
  const { name } = server;
  return [
    { label: "Crash: the process dies, its memory is lost", fault: { crash: name } },
    { label: "Vanish: the host falls silent", fault: { vanish: name } },
    { label: "Restart: an empty process on the same host", fault: { restart: name } },
    { label: "Slow: ten times slower for 20 seconds", fault: { slow: name, factor: 10, for: "20s" } },
    { label: "Cut off for 10 seconds, memory kept", fault: { isolate: name, for: "10s" } },
    { label: "Fail every request for 10 seconds", fault: { failing: name, for: "10s" } },
  ];
}

export function openHelp(letters: boolean, setLetters: (on: boolean) => void): void {
  const keys = KEYS.flatMap((key) => {
    const names = (key.label ?? key.keys[0] ?? "")
      .split(" ")
      .map((name) => (name === "…" ? " … " : h("kbd", {}, name)));
    return [h("dt", {}, ...names.flatMap((name) => [name, " "])), h("dd", {}, key.does)];
  });
  const box = h("input", { type: "checkbox", onchange: () => setLetters(box.checked) });
  box.checked = letters;
  const signs: readonly (readonly [string, string])[] = [
    [
      "Seat",
      "Every user has a seat, and the same seat in every memory. Three stripes are a mug, a lamp and a pen.",
    ],
    ["✕ on a seat", "Something in this cart is gone, and its user does not know."],
    ["/ on a seat", "The cart exists, but no server has it whole."],
    ["Dot, square, ring", "Somebody looks, adds, checks out. A diamond asks the store."],
    ["● up, ○ down, ◐ drain", "What the balancer believes. Red, and ≠, when it is wrong."],
    ["Small squares", "Workers, filled when busy."],
    ["Overturned cart", "Lost: hollow until its user notices at the checkout."],
  ];
  open(
    "Keys and signs",
    h(
      "div.columns",
      {},
      h(
        "section",
        {},
        h("dl.keys", {}, ...keys),
        h("p", {}, h("label", {}, box, " Keys that are letters or signs work without Ctrl")),
      ),
      h(
        "section",
        {},
        h(
          "dl.keys",
          {},
          ...signs.flatMap(([sign, meaning]) => [h("dt", {}, h("b", {}, sign)), h("dd", {}, meaning)]),
        ),
        h(
          "p",
          {},
          "Press a server to crash or revive it; press long, or with the right button, for more. Press a seat to follow its user.",
        ),
      ),
    ),
  );
}
