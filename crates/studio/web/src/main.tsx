import { render } from "preact";
import { App } from "./app";
import { listenToKeys } from "./keys";
import { begin } from "./state";
import "./style.css";

render(<App />, document.getElementById("app")!);
listenToKeys();
void begin();
