/** A scenario of one's own, as text: what is wrong with it is told with its place, which is marked. */

import { inWords } from "../app/show.ts";
import { Refused } from "../engine/engine.ts";
import { open } from "./dialogs.ts";
import { h } from "./dom.ts";

/** What there is to begin with. */
export const EXAMPLE = `title = "Two servers, and one of them dies. Who notices?"
duration = "1m"

[users]
count = 100
journey = ["login", "browse", "add", "view", "add", "checkout"]

[servers]
count = 2

[homes]
cart = "server-memory"
session = "signed-token"

[[faults]]
name = "the crash"
at = "20s"
crash = "server-2"
replace_after = "5s"

[[variants]]
name = "sticky, server memory"
balancer.affinity = { cookie = "visit" }

[[variants]]
name = "shared store"
homes.cart = "shared-store"
`;

/** Opens the editor. `play` refuses a text that is no scenario; the text of the `shipped` one can be taken over. */
export function openEditor(
  text: string,
  play: (text: string) => Promise<void>,
  shipped: string | null,
  source: (name: string) => Promise<{ text: string }>,
): void {
  const area = h("textarea.source", { rows: 22, spellcheck: "false", "aria-label": "The scenario, in TOML" });
  area.value = text;
  const problem = h("pre.problem", { role: "alert", hidden: true });
  const file = h("input", {
    type: "file",
    accept: ".toml,text/plain",
    "aria-label": "Open a file",
    onchange: () => void read(),
  });
  const read = async () => {
    const [chosen] = file.files ?? [];
    if (chosen) {
      area.value = await chosen.text();
    }
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      await play(area.value);
      dialog.close();
    } catch (error) {
      problem.hidden = false;
      problem.textContent = inWords(error);
      if (error instanceof Refused) {
        point(area, error);
      }
    }
  };
  const takeOver = async (name: string) => {
    area.value = (await source(name)).text;
    area.focus();
  };
  const begin = shipped
    ? h("button", { type: "button", onclick: () => void takeOver(shipped) }, `Begin with ${shipped}`)
    : null;
  const dialog = open(
    "A scenario of your own",
    h(
      "form.end",
      { onsubmit: submit },
      area,
      problem,
      h("div.row", {}, h("button.strong", {}, "Play it"), begin, file),
    ),
  );
}

/** Selects the place that an error is about. */
function point(area: HTMLTextAreaElement, { refusal: { place } }: Refused): void {
  if (!place) {
    return;
  }
  const before = area.value.split("\n").slice(0, place.line - 1);
  const line = before.reduce((length, text) => length + text.length + 1, 0);
  // Columns count characters, a text area counts UTF-16 units.
  const units = (count: number) => [...place.text].slice(0, count).join("").length;
  area.focus();
  area.setSelectionRange(line + units(place.column - 1), line + units(place.column - 1 + place.length));
}
