/** The question before a run, and the answer after it. */

import type { Guess } from "../app/guess.ts";
import { open } from "./dialogs.ts";
import { h } from "./dom.ts";

export function ask(guess: Guess, done: () => void): void {
  const { predict } = guess;
  let answered = false;
  const pick = (choice: number | null) => {
    answered = true;
    guess.pick(choice);
    dialog.close();
  };
  const choices = predict.choices.map((choice, index) =>
    h(
      "button",
      { type: "button", onclick: () => pick(index) },
      h("b", {}, String.fromCharCode(65 + index)),
      choice,
    ),
  );
  const look = h("button", { type: "button", onclick: () => pick(null) }, "Show me: no guess");
  const dialog = open(
    "What do you expect?",
    h("p.ask", {}, predict.ask),
    h("div.menu", {}, ...choices, look),
  );
  dialog.addEventListener("close", () => {
    if (!answered) {
      guess.pick(null);
    }
    done();
  });
}

/** One bar for each choice: how often it was picked in this browser, which one was yours, which one is right. */
export function reveal(guess: Guess): HTMLElement {
  const { predict, picked } = guess;
  const counts = guess.counts();
  const most = Math.max(1, ...counts);
  const right = predict.answer;
  const bars = predict.choices.map((choice, index) => {
    const bar = h("meter", { min: 0, max: most, value: counts[index] ?? 0, "aria-hidden": "true" });
    const marks = [index === picked ? "your guess" : "", index === right ? "✓ right" : ""]
      .filter(Boolean)
      .join(", ");
    const row = h("li", {}, h("span", {}, choice), bar, h("b", {}, marks));
    row.classList.toggle("right", index === right);
    return row;
  });
  const words =
    picked === null
      ? "It is"
      : picked === right
        ? "You were right: it is"
        : `You guessed ${predict.choices[picked]}. It is`;
  const why = () =>
    open("Why", h("div.end", {}, h("ol.guesses", {}, ...bars), h("p.lesson", {}, predict.why)));
  const answer = right === null ? "" : (predict.choices[right] ?? "");
  return h(
    "p.bet",
    {},
    `${words} `,
    h("b", {}, answer),
    ". ",
    h("button", { type: "button", onclick: why }, "Why?"),
  );
}
