/** Puts the page together and starts it. */

import * as api from "./api.js";
import { channelBar } from "./channelbar.js";
import { clock, readClock } from "./clock.js";
import { composer } from "./composer.js";
import { fill, h } from "./dom.js";
import { homePane } from "./home.js";
import { icon, mark } from "./icons.js";
import { inspector, toggleInspector } from "./inspector.js";
import { follow, loadWorkspace } from "./live.js";
import { messageList } from "./messages.js";
import { modal } from "./modal.js";
import { followAddress } from "./navigate.js";
import { sidebar } from "./sidebar.js";
import { on, state, update } from "./store.js";
import { quickSwitcher } from "./switcher.js";
import { themeToggle } from "./theme.js";
import { threadPanel } from "./thread.js";
import { now } from "./time.js";
import { tour } from "./tour.js";
import { startReading } from "./unread.js";

const drawSidebar = (open) => document.body.classList.toggle("side-open", open);

function topBar(jump, help) {
  const search = h("button", { type: "button", class: "top-button search-button", onclick: jump }, icon("search", 16), h("span", {}, "Jump to…"), h("kbd", {}, /Mac/.test(navigator.platform) ? "⌘K" : "Ctrl K"));
  const button = (label, drawing, onclick) => h("button", { type: "button", class: "icon-button top-icon", "aria-label": label, title: label, onclick }, icon(drawing));
  return h("header", { class: "top" }, search, h("div", { class: "top-tools" }, clock(), button("Developer drawer", "code", toggleInspector), themeToggle(), button("Tour", "help", help)));
}

function mainColumn(box) {
  const list = messageList();
  const home = homePane();
  const node = h("main", { id: "main", class: "main", tabindex: "-1", "aria-labelledby": "place-title" }, channelBar(() => drawSidebar(true)), list, box.node, home);
  on(["place"], () => {
    const isHome = state.place.kind === "home";
    home.hidden = !isHome;
    list.hidden = isHome;
    box.node.hidden = isHome;
  });
  return node;
}

function offlineBanner() {
  const node = h("div", { class: "offline", role: "alert", hidden: true }, "The playground does not answer. The page goes on by itself as soon as it is back.");
  on(["online"], () => (node.hidden = state.online));
  return node;
}

function build() {
  const box = composer();
  const quick = quickSwitcher();
  const card = tour(box);
  const side = sidebar(() => drawSidebar(false));
  const scrim = h("div", { class: "scrim", "aria-hidden": "true", onclick: () => drawSidebar(false) });
  fill(
    document.body,
    h("a", { class: "skip", href: "#main", onclick: (event) => {
      event.preventDefault();
      (state.place.kind === "home" ? document.querySelector(".home") : box.node.querySelector("textarea")).focus();
    } }, "Skip to the message field"),
    topBar(quick.open, card.open), offlineBanner(),
    h("div", { class: "columns" }, side, scrim, mainColumn(box), threadPanel(), inspector()),
    card.node, modal(), quick.node,
  );
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      quick.open();
    } else if (event.key === "Escape") drawSidebar(false);
  });
  on(["place", "me"], () => !state.loading && state.place.kind === "channel" && !state.thread && matchMedia("(pointer: fine)").matches && box.focus());
}

async function start() {
  state.config = await api.config();
  build();
  update({ config: state.config });
  await Promise.all([loadWorkspace(), readClock()]);
  startReading(String(now().getTime() / 1000));
  const following = follow();
  await followAddress();
  addEventListener("popstate", () => followAddress());
  addEventListener("hashchange", () => followAddress());
  document.body.dataset.ready = "true";
  await following;
}

start().catch((error) => {
  fill(document.body, h("div", { class: "empty empty-page" }, mark(56), h("h1", {}, "The playground did not start"), h("p", {}, error.message), h("button", { type: "button", class: "button button-primary", onclick: () => location.reload() }, "Try again")));
});
