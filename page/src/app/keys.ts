/** All keys, in one table: what they do, and how the help says it. */

export type Command =
  | "toggle"
  | "next-event"
  | "last-event"
  | "back"
  | "on"
  | "far-back"
  | "far-on"
  | "start"
  | "end"
  | "faster"
  | "slower"
  | "server"
  | "kill-cart"
  | "deploy"
  | "store"
  | "follow"
  | "enlarge"
  | "reset"
  | "link"
  | "command"
  | "theme"
  | "list"
  | "read"
  | "help"
  | "results"
  | "next-step"
  | "previous-step"
  | "guess"
  | "fork"
  | "knobs"
  | "editor"
  | "compare"
  | "escape"
  | "many";

export interface Key {
  readonly keys: readonly string[];
  readonly shift?: boolean;
  readonly command: Command;
  /** How the keys are written, if not as they are. */
  readonly label?: string;
  readonly does: string;
}

export const KEYS: readonly Key[] = [
  { keys: [" "], command: "toggle", label: "space", does: "play or pause" },
  { keys: ["."], command: "next-event", does: "go to the next thing that happens" },
  { keys: [","], command: "last-event", does: "go back to the last one" },
  { keys: ["ArrowLeft"], shift: false, command: "back", label: "←", does: "one second back" },
  { keys: ["ArrowRight"], shift: false, command: "on", label: "→", does: "one second on" },
  { keys: ["ArrowLeft"], shift: true, command: "far-back", label: "shift ←", does: "ten seconds back" },
  { keys: ["ArrowRight"], shift: true, command: "far-on", label: "shift →", does: "ten seconds on" },
  { keys: ["Home"], command: "start", does: "go to the start" },
  { keys: ["End"], command: "end", does: "go to the end" },
  { keys: ["+", "="], command: "faster", label: "+", does: "faster" },
  { keys: ["-"], command: "slower", does: "slower" },
  {
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    command: "server",
    label: "1 … 9",
    does: "crash or revive that server",
  },
  { keys: ["k"], command: "kill-cart", does: "crash the server that keeps the followed user’s cart" },
  { keys: ["f"], command: "fork", does: "one past, two futures: play this design twice from here" },
  { keys: ["d"], command: "deploy", does: "deploy: stop and start every server, one by one" },
  { keys: ["s"], command: "store", does: "the store fails for ten seconds" },
  { keys: ["u"], command: "follow", does: "follow another user" },
  { keys: ["e"], command: "enlarge", does: "enlarge the film" },
  { keys: ["n", "PageDown"], command: "next-step", label: "n", does: "next step of the tour" },
  { keys: ["p", "PageUp"], command: "previous-step", label: "p", does: "previous step" },
  { keys: ["g"], command: "guess", does: "make a guess" },
  { keys: ["r"], command: "reset", does: "open the scenario anew" },
  { keys: ["o"], command: "list", does: "open another scenario" },
  { keys: ["c"], command: "compare", does: "compare up to six designs" },
  { keys: ["a"], command: "knobs", does: "adjust the shop’s settings" },
  { keys: ["w"], command: "editor", does: "write a scenario of your own" },
  { keys: ["m"], command: "many", does: "run it thirty times" },
  { keys: ["x"], command: "results", does: "show the results" },
  { keys: ["l"], command: "link", does: "copy a link to this moment" },
  { keys: ["y"], command: "command", does: "copy the command that runs the same" },
  { keys: ["t"], command: "theme", does: "light or dark" },
  { keys: ["v"], command: "read", does: "read the moment out to a screen reader" },
  { keys: ["Escape"], command: "escape", label: "esc", does: "back: close, leave a fork, stop waiting" },
  { keys: ["?"], command: "help", does: "this help" },
];

/** The command of a key, if it has one. Letters can be switched off (WCAG 2.1.4). */
export function commandOf(event: KeyboardEvent, letters: boolean): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return null;
  }
  const isCharacter = event.key.length === 1 && event.key !== " ";
  if (isCharacter && !letters) {
    return null;
  }
  const key = KEYS.find((entry) => {
    const shift = entry.shift === undefined || entry.shift === event.shiftKey;
    return shift && entry.keys.includes(event.key);
  });
  return key?.command ?? null;
}

/** The number on a key for a server. */
export const digitOf = ({ key }: KeyboardEvent): number => Number(key);
