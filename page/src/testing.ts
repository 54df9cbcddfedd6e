/** What the tests in tests/ need of the page's modules. The page itself does not import this. */

export { captionAt, Narrator } from "./app/caption.ts";
export { isPerformed } from "./app/commands.ts";
export { commandOf, KEYS } from "./app/keys.ts";
export { commandLine, FIRST, readLink, writeLink } from "./app/link.ts";
export { Show } from "./app/show.ts";
export { designsOf, STEPS } from "./app/tour.ts";
export { heap } from "./draw/bin.ts";
export { seatAt, seatIn } from "./draw/layout.ts";
export { fingerprint } from "./draw/list.ts";
export { drawPlates } from "./draw/plates.ts";
export { drawTraffic } from "./draw/traffic.ts";
export { Calls, Refused } from "./engine/engine.ts";
export { itemsOf, places } from "./run/items.ts";
export { sceneAt } from "./run/stage.ts";
export { serverFaults } from "./view/dialogs.ts";
export { EXAMPLE } from "./view/editor.ts";
export { KNOBS } from "./view/knobs.ts";
