/** The developer drawer: the raw JSON of a message or view, and the log of calls and deliveries. */

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { on } from "./store.js";
import { timeWithSeconds } from "./time.js";
import { tell } from "./toast.js";

const KEPT = 300;
const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Return JSON as a block of text with its keys, strings and numbers marked. */
function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(text.slice(at, match.index));
    const kind = match[1] ? (match[2] ? "key" : "string") : match[3] ? "word" : "number";
    nodes.push(h("span", { class: `json-${kind}` }, match[1] ?? match[0]), match[2] ?? "");
    at = match.index + match[0].length;
  }
  return h("pre", { class: "json", tabindex: "0" }, h("code", {}, nodes, text.slice(at)));
}

function payloadView() {
  const title = h("h3", {}, "Nothing chosen");
  const body = h("div", {}, h("p", { class: "panel-note" }, "Choose “Show payload” beside a message, in a form or on App Home."));
  let shown = null;
  const copy = h("button", { type: "button", class: "button button-small", hidden: true, onclick: () => copyText(JSON.stringify(shown, null, 2)) }, icon("copy", 16), "Copy");
  const show = (name, value) => {
    shown = value;
    copy.hidden = false;
    fill(title, name);
    fill(body, json(value));
  };
  return { node: h("div", { class: "panel-body", role: "tabpanel", "aria-label": "Payload" }, h("div", { class: "panel-row" }, title, copy), body), show };
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.", "good");
  } catch {
    tell("The browser did not let the page copy. Select the text instead.");
  }
}

const FILTERS = {
  Everything: () => true,
  Deliveries: (entry) => entry.kind === "delivery",
  Calls: (entry) => entry.kind !== "delivery",
  "With violations": (entry) => entry.violations?.length > 0,
};

function logEntry(entry) {
  const bad = entry.violations?.length || entry.status === null || entry.status >= 400 || entry.result?.ok === false;
  const outcome = entry.result?.error ?? entry.status ?? "no answer";
  return h(
    "details", { class: `log-entry${bad ? " log-bad" : ""}` },
    h("summary", {},
      h("time", {}, timeWithSeconds(new Date(entry.at))),
      h("span", { class: `log-kind log-${entry.kind}` }, entry.kind === "delivery" ? "to the bot" : "from the bot"),
      h("span", { class: "log-name" }, entry.name),
      h("span", { class: "log-outcome" }, `${outcome}${entry.ms === undefined || entry.ms === null ? "" : ` · ${Math.round(entry.ms)} ms`}`)),
    entry.violations?.length > 0 && h("ul", { class: "log-violations" }, entry.violations.map((sentence) => h("li", {}, sentence))),
    json({ arguments: entry.arguments, result: entry.result, ...(entry.fault ? { fault: entry.fault } : {}) }),
  );
}

function logView() {
  const list = h("div", { class: "log-list" });
  const filter = h("select", { class: "text-field", "aria-label": "Show", onchange: () => draw() }, Object.keys(FILTERS).map((name) => h("option", { value: name }, name)));
  let entries = [];
  let last = 0;
  const nodes = new Map();
  const draw = () => {
    const shown = entries.filter(FILTERS[filter.value]).reverse();
    const nodeOf = (entry) => nodes.get(entry.n) ?? nodes.set(entry.n, logEntry(entry)).get(entry.n);
    if (shown.length) list.replaceChildren(...shown.map(nodeOf));
    else fill(list, h("p", { class: "panel-note" }, "Nothing yet."));
  };
  const refresh = async () => {
    const answer = await api.log(last);
    if (answer.last < last) [entries, last] = [[], 0]; // the simulator started anew
    else last = answer.last;
    if (answer.entries.length) entries = [...entries, ...answer.entries].slice(-KEPT);
    draw();
  };
  return { node: h("div", { class: "panel-body", role: "tabpanel", "aria-label": "Log", hidden: true }, h("div", { class: "panel-row" }, filter), list), refresh };
}

let drawer;

/** Open the drawer on one object. */
export function inspect(title, value) {
  drawer.payload.show(title, value);
  drawer.open("payload");
}

export const toggleInspector = () => (drawer.node.hidden ? drawer.open("log") : drawer.close());

export function inspector() {
  const payload = payloadView();
  const log = logView();
  const views = { payload, log };
  const tabs = Object.entries({ payload: "Payload", log: "Delivery log" }).map(([name, label]) => h("button", { type: "button", class: "tab", role: "tab", dataset: { name }, onclick: () => drawer.open(name) }, label));
  const close = () => drawer.close();
  const node = h(
    "aside", { class: "panel inspector", "aria-label": "Developer drawer", hidden: true, onkeydown: (event) => event.key === "Escape" && close() },
    h("header", { class: "panel-head" }, h("div", { class: "tabs", role: "tablist" }, tabs), h("button", { type: "button", class: "icon-button", "aria-label": "Close developer drawer", onclick: close }, icon("close"))),
    payload.node, log.node,
  );
  const refresh = () => !node.hidden && !log.node.hidden && log.refresh().catch((error) => tell(error.message));
  drawer = {
    node, payload,
    open(name) {
      // above an open form the drawer has to be in the form's layer, or nobody could reach it
      (document.querySelector("dialog[open]") ?? document.querySelector(".columns")).append(node);
      node.hidden = false;
      for (const [other, view] of Object.entries(views)) view.node.hidden = other !== name;
      tabs.forEach((tab) => tab.setAttribute("aria-selected", String(tab.dataset.name === name)));
      refresh();
    },
    close() {
      node.hidden = true;
    },
  };
  on(["activity"], refresh);
  return node;
}
