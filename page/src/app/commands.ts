/** What each command does. Keys and buttons give the same commands. */

import type { App } from "./app.ts";
import type { Command } from "./keys.ts";
import type { Show } from "./show.ts";

/** What can be done without anything on the stage. */
const ALWAYS: Partial<Record<Command, (app: App) => void>> = {
  list: (app) => app.list(),
  "next-step": (app) => app.step(1),
  "previous-step": (app) => app.step(-1),
  theme: (app) => app.theme(),
  help: (app) => app.help(),
  reset: (app) => app.reset(),
  editor: (app) => app.edit(),
};

const IN_SHOW: Partial<Record<Command, (app: App, show: Show) => void>> = {
  toggle: (app, show) => app.toggle(show),
  "next-event": (app, show) => app.seek(show.next(show.t) ?? show.t + 1),
  "last-event": (app, show) => app.seek(show.previous(show.t) ?? 0),
  back: (app, show) => app.seek(show.goal - 1),
  on: (app, show) => app.seek(show.goal + 1),
  "far-back": (app, show) => app.seek(show.goal - 10),
  "far-on": (app, show) => app.seek(show.goal + 10),
  start: (app) => app.seek(0),
  end: (app, show) => app.seek(show.end),
  faster: (app) => app.faster(1),
  slower: (app) => app.faster(-1),
  "kill-cart": (app, show) => app.killCart(show),
  deploy: (app) => app.deploy(),
  store: (app, show) => app.store(show),
  follow: (app, show) => app.followNext(show),
  many: (app, show) => app.many(show),
  compare: (app, show) => app.compare(show),
  knobs: (app, show) => app.knobs(show),
  fork: (app, show) => app.fork(show),
  guess: (app) => app.askGuess(),
  enlarge: (app) => app.enlarge(),
  link: (app, show) => app.copyLink(show),
  command: (app, show) => app.copyCommand(show),
  read: (app) => app.read(),
  results: (app, show) => app.results(show),
  escape: (app, show) => app.escape(show),
};

export function perform(command: Command, app: App, show: Show | null): void {
  ALWAYS[command]?.(app);
  if (show) {
    IN_SHOW[command]?.(app, show);
  }
}

/** Whether something is done for a command. */
export const isPerformed = (command: Command): boolean => command in ALWAYS || command in IN_SHOW;
