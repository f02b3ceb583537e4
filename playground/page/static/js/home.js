/** The app's two tabs, and its Home as it was published for the user who sits at the page. */

import { blocks } from "./blocks.js";
import { fill, fingerprint, h, reconcile } from "./dom.js";
import { icon, mark } from "./icons.js";
import { inspect } from "./inspector.js";
import { goHome, goToChannel } from "./navigate.js";
import { on, state } from "./store.js";
import { viewContext } from "./surfaces.js";

export function directMessages() {
  return state.channels.find((channel) => channel.is_im && channel.user === state.me);
}

/** Return the tabs above App Home and above the direct messages with the app. */
export function appTabs() {
  const node = h("div", { class: "tabs", role: "tablist", "aria-label": "App" });
  on(["place", "me", "channels"], () => {
    const im = directMessages();
    const tab = (label, chosen, go) => h("button", { type: "button", class: "tab", role: "tab", "aria-selected": String(chosen), onclick: go }, label);
    const isHome = state.place.kind === "home";
    node.hidden = !isHome && state.place.id !== im?.id;
    fill(node, tab("Home", isHome, goHome), im && tab("Messages", !isHome, () => goToChannel(im.id)));
  });
  return node;
}

function empty() {
  const name = state.app?.name ?? "The app";
  return h("div", { class: "empty" }, mark(56), h("h2", {}, `${name} has not drawn its Home yet`), h("p", {}, "It does so when you open this tab. If nothing appears, the bot may not be running; the log in the developer drawer knows."));
}

export function homePane() {
  const list = h("div", { class: "home-blocks" });
  const payload = h("button", { type: "button", class: "button button-small", onclick: () => inspect("App Home", state.home) }, icon("code", 16), "Show payload");
  const node = h("div", { class: "home", role: "tabpanel", "aria-label": "App Home", tabindex: "0" }, list, h("div", { class: "home-foot" }, payload));
  let owner = null;
  let context = null;
  on(["home", "me", "users", "place", "app"], () => {
    payload.hidden = !state.home;
    if (!state.home) {
      fill(list, empty());
      return;
    }
    if (owner !== state.me || !context) {
      context = viewContext(() => state.home);
      owner = state.me;
      fill(list);
    }
    list.querySelector(".empty")?.remove();
    reconcile(list, state.home.blocks.map((block, index) => ({ key: block.block_id ?? String(index), signature: fingerprint([block, state.users.size]), build: () => blocks([block], context)[0] })));
  });
  return node;
}
