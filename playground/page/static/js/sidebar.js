/** The left side: workspace, channels with unread marks, the app, and who sits at the page. */

import { fill, h } from "./dom.js";
import { directMessages } from "./home.js";
import { icon, mark } from "./icons.js";
import { visible } from "./live.js";
import { popupMenu } from "./menu.js";
import { avatar, userName } from "./names.js";
import { become, goHome, goToChannel } from "./navigate.js";
import { isMember, on, state } from "./store.js";
import { tell } from "./toast.js";
import { unread } from "./unread.js";

function item({ face, label, current, go, fresh = { count: 0, mentions: 0 }, note, quiet }) {
  const bold = fresh.count > 0 && !current;
  const named = [label, note, bold && `${fresh.count} unread`].filter(Boolean).join(", ");
  return h(
    "li", {},
    h("button", { type: "button", class: `place${current ? " place-current" : ""}${bold ? " place-unread" : ""}${quiet ? " place-quiet" : ""}`, "aria-current": current ? "page" : null, "aria-label": named, onclick: go },
      h("span", { class: "place-face" }, face), h("span", { class: "place-name" }, label), note && h("span", { class: "place-note" }, note),
      bold && h("span", { class: "unread" }, String(fresh.mentions || fresh.count))),
  );
}

function channelItem(channel) {
  const current = state.place.kind === "channel" && state.place.id === channel.id;
  const member = isMember(channel);
  return item({
    face: icon("hash", 16), label: channel.name, current, quiet: !member, go: () => goToChannel(channel.id),
    fresh: member ? unread(channel.id) : undefined, note: channel.is_ext_shared ? "shared" : null,
  });
}

function appItem() {
  const im = directMessages();
  const current = state.place.kind === "home" || state.place.id === im?.id;
  return item({ face: mark(18), label: state.app?.name ?? "App", current, go: goHome, fresh: im ? unread(im.id) : undefined });
}

/** Move between the places with the arrow keys. */
function walk(event) {
  const all = [...event.currentTarget.querySelectorAll(".place")];
  const at = all.indexOf(event.target.closest(".place"));
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined || at < 0) return;
  all[Math.max(0, Math.min(next, all.length - 1))].focus();
  event.preventDefault();
}

export function people() {
  const order = state.config.people?.map((person) => person.id) ?? [];
  const others = [...state.users.values()].filter((user) => !user.is_bot && user.id !== "USLACKBOT" && !order.includes(user.id)).map((user) => user.id);
  return [...order, ...others].filter((id) => state.users.has(id));
}

export const noteOf = (id) => state.config.people?.find((person) => person.id === id)?.note ?? "";

function switcher() {
  const face = h("span", { class: "me" });
  const menu = popupMenu({
    label: "Switch user", face, class: "me-button", heading: "Be somebody else: each sees, and may do, something different.",
    choices: () => people().map((id) => ({
      text: userName(id), note: noteOf(id), face: avatar(userName(id), { id, size: "small" }), checked: id === state.me, choose: () => become(id).catch((error) => tell(error.message)),
    })),
  });
  const button = menu.querySelector("button");
  on(["me", "users", "config"], () => {
    const name = userName(state.me);
    button.setAttribute("aria-label", `Switch user; you are ${name}`);
    fill(face, avatar(name, { id: state.me, size: "medium" }), h("span", { class: "me-text" }, h("strong", {}, name), h("small", {}, noteOf(state.me))), icon("down", 16));
  });
  return menu;
}

export function sidebar(close) {
  const channels = h("ul", { class: "places", "aria-label": "Channels" });
  const browsed = h("ul", { class: "places", "aria-label": "Channels you are not in" });
  const apps = h("ul", { class: "places", "aria-label": "Apps" });
  const notIn = h("h2", { class: "side-heading" }, "Not a member");
  const workspace = h("span", { class: "workspace-name" });
  const draw = () => {
    const focused = document.activeElement?.closest?.(".side .place")?.getAttribute("aria-label");
    fill(workspace, state.app?.team ?? "Workspace");
    const all = state.channels.filter((channel) => !channel.is_im && !channel.is_archived && visible(channel));
    const foreign = all.filter((channel) => !isMember(channel));
    fill(channels, all.filter((channel) => isMember(channel)).map(channelItem));
    const isStaff = !state.users.get(state.me)?.is_restricted && !state.users.get(state.me)?.is_stranger;
    fill(browsed, isStaff ? foreign.map(channelItem) : []);
    notIn.hidden = !browsed.childElementCount;
    fill(apps, appItem());
    const again = focused && [...node.querySelectorAll(".place")].find((place) => place.getAttribute("aria-label") === focused);
    again?.focus();
  };
  const node = h(
    "nav", { id: "sidebar", class: "side", "aria-label": "Channels and apps" },
    h("div", { class: "workspace" }, mark(32), h("span", { class: "workspace-text" }, workspace, h("small", {}, "Causeway playground"))),
    h("div", { class: "side-scroll", onkeydown: walk, onclick: (event) => event.target.closest(".place") && close() },
      h("h2", { class: "side-heading" }, "Channels"), channels, notIn, browsed, h("h2", { class: "side-heading" }, "Apps"), apps),
    switcher(),
  );
  on(["channels", "place", "me", "messages", "unread", "users", "app"], draw);
  return node;
}
