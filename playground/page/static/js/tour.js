/** The card that greets somebody who is here for the first time. */

import { fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { copyText } from "./inspector.js";
import { become, goToChannel } from "./navigate.js";
import { isMember, on, recall, remember, state } from "./store.js";
import { tell } from "./toast.js";

const PEERS = { bot: "The bot", github: "GitHub", slack: "Slack's Web API", kubernetes: "Kubernetes", argocd: "Argo CD", prometheus: "Prometheus", alertmanager: "Alertmanager", loki: "Loki", tempo: "Tempo" };

function step(number, title, text, control) {
  return h("li", { class: "tour-step" }, h("span", { class: "tour-number", "aria-hidden": "true" }, String(number)), h("div", {}, h("strong", {}, title), h("p", {}, text)), control);
}

const byHandle = (name) => [...state.users.values()].find((user) => user.name === name)?.id;

async function startAsAuthor(write) {
  const author = byHandle("author");
  if (author && state.me !== author) await become(author);
  const channel = state.channels.find((known) => known.name === "team-orders" && isMember(known));
  if (channel) goToChannel(channel.id);
  write("/service create");
}

export function tour(composer) {
  const write = (text) => {
    composer.write(text);
    composer.focus();
  };
  const steps = h("ol", { class: "tour-steps" });
  const links = h("p", { class: "tour-links" });
  const close = () => {
    node.hidden = true;
    remember("toured", true);
  };
  const node = h(
    "section", { class: "tour", "aria-labelledby": "tour-title", hidden: recall("toured", false), onkeydown: (event) => event.key === "Escape" && close() },
    h("header", {}, mark(36), h("h2", { id: "tour-title" }, "Welcome to Causeway"), h("button", { type: "button", class: "icon-button", "aria-label": "Close the tour", onclick: close }, icon("close"))),
    h("p", {}, "A small company, all on this machine: no account, no cluster, no token. The bot you talk to is the real one. Three things to try:"),
    steps,
    h("p", { class: "tour-more" }, "The clock above moves time forward, the drawer behind ", icon("code", 15), " shows every payload. Beside this page run:"),
    links,
  );
  on(["config", "users", "app"], () => {
    const clone = `git clone ${state.config.github ?? "http://127.0.0.1"}/acme/NAME.git`;
    const button = (label, go) => h("button", { type: "button", class: "button button-small", onclick: () => Promise.resolve(go()).catch((error) => tell(error.message)) }, label);
    fill(
      steps,
      step(1, "Ask for a service", "Type /service create and fill in the form.", button("Type it for me", () => startAsAuthor(write))),
      step(2, "Approve it", "Switch to the approver, below the channels, and press Approve.", button("Switch", () => become(byHandle("approver")))),
      step(3, "Clone the repository", "The card links it; plain git works.", button("Copy command", () => copyText(clone))),
    );
    fill(links, Object.entries(PEERS).filter(([name]) => state.config[name]).map(([name, label]) => h("a", { href: state.config[name], target: "_blank", rel: "noopener noreferrer" }, label)));
  });
  return { node, open: () => {
    node.hidden = !node.hidden;
  } };
}
