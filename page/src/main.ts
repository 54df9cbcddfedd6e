import { App } from "./app/app.ts";
import { applyTheme } from "./app/settings.ts";
import { connect } from "./engine/connect.ts";
import { Calls } from "./engine/engine.ts";

applyTheme();
const engine = await connect("show");
const app = new App(document.getElementById("app")!, new Calls(engine));
await app.start();
if (engine.how === "wasm" && "serviceWorker" in navigator) {
  // Without one the page works as well, but not offline.
  navigator.serviceWorker.register("sw.js").catch(() => undefined);
}
