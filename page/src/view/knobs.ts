/** The shop's settings in a form: each is a patch, as after `--set` on the command line. */

import { open } from "./dialogs.ts";
import { h } from "./dom.ts";

interface Knob {
  readonly key: string;
  readonly label: string;
  /** What can be chosen; without it, it is written. */
  readonly choices?: readonly string[];
}

export const KNOBS: readonly Knob[] = [
  { key: "users.count", label: "Users" },
  { key: "servers.count", label: "Servers" },
  { key: "servers.workers", label: "Workers of a server" },
  {
    key: "balancer.policy",
    label: "Balancer",
    choices: [
      "round-robin",
      "random",
      "least-requests",
      "power-of-two",
      "peak-ewma",
      "ip-hash",
      "ring-hash",
      "rendezvous",
      "maglev",
    ],
  },
  {
    key: "homes.cart",
    label: "Carts live in",
    choices: ["server-memory", "replicated-memory", "shared-store", "signed-token"],
  },
  {
    key: "homes.session",
    label: "Logins live in",
    choices: ["server-memory", "shared-store", "signed-token", "unsigned-cookie"],
  },
  { key: "duration", label: "Open for" },
];

export interface Settings {
  readonly set: readonly string[];
  readonly seed: number | null;
}

/** Opens the form. `apply` answers with what is wrong, or with nothing. */
export function openKnobs(current: Settings, apply: (settings: Settings) => Promise<string | null>): void {
  const patches = new Map(
    current.set.map((patch) => [patch.slice(0, patch.indexOf("=")), patch.slice(patch.indexOf("=") + 1)]),
  );
  const fields = KNOBS.map((knob) => ({ knob, field: fieldOf(knob, unquoted(patches.get(knob.key) ?? "")) }));
  const known = new Set(KNOBS.map(({ key }) => key));
  const others = current.set.filter((patch) => !known.has(patch.slice(0, patch.indexOf("="))));
  const more = h("textarea", {
    rows: 3,
    spellcheck: "false",
    placeholder: 'balancer.affinity={cookie="visit"}',
  });
  more.value = others.join("\n");
  const seed = h("input", { inputmode: "numeric", placeholder: "the scenario’s own" });
  seed.value = current.seed === null ? "" : String(current.seed);
  const problem = h("pre.problem", { role: "alert", hidden: true });
  const submit = async (event: Event) => {
    event.preventDefault();
    const chosen = fields.flatMap(({ knob, field }) =>
      field.value.trim() ? [`${knob.key}=${field.value.trim()}`] : [],
    );
    const written = more.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    const number = Number(seed.value);
    const sound = seed.value.trim() === "" || (Number.isSafeInteger(number) && number >= 0);
    const wrong = sound
      ? await apply({ set: [...chosen, ...written], seed: seed.value.trim() === "" ? null : number })
      : "A seed is a whole number.";
    problem.hidden = wrong === null;
    problem.textContent = wrong ?? "";
    if (wrong === null) {
      dialog.close();
    }
  };
  const rows = fields.map(({ knob, field }) => h("label", {}, h("span", {}, knob.label), field));
  const form = h(
    "form.knobs",
    { onsubmit: submit },
    ...rows,
    h("label", {}, h("span", {}, "Seed"), seed),
    h("label.broad", {}, h("span", {}, "Anything else, one setting a line"), more),
    problem,
    h("div.row", {}, h("button.strong", {}, "Play it")),
  );
  const dialog = open(
    "Settings of the shop",
    h("p.note", {}, "What is left empty is as the scenario and its designs say."),
    form,
  );
}

function fieldOf({ choices }: Knob, value: string): HTMLInputElement | HTMLSelectElement {
  if (!choices) {
    const input = h("input", { placeholder: "as the design says" });
    input.value = value;
    return input;
  }
  const select = h(
    "select",
    {},
    h("option", { value: "" }, "as the design says"),
    ...choices.map((choice) => h("option", { value: choice }, choice)),
  );
  select.value = choices.includes(value) ? value : "";
  return select;
}

const unquoted = (value: string) => value.replace(/^"(.*)"$/, "$1");
