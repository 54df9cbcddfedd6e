import { App } from "./app/app.ts";
import { applyTheme } from "./app/settings.ts";
import { connect } from "./engine/connect.ts";
import { Calls } from "./engine/engine.ts";

applyTheme();
const app = new App(document.getElementById("app")!, new Calls(connect()));
void app.start();
