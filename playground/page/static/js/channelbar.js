/** The line above the messages: where we are, and who else is here. */

import { fill, h } from "./dom.js";
import { appTabs, directMessages } from "./home.js";
import { icon, mark } from "./icons.js";
import { textOf } from "./messages.js";
import { popupMenu } from "./menu.js";
import { avatar, userName } from "./names.js";
import { currentChannel, on, state } from "./store.js";

function memberMenu(channel) {
  const face = [icon("person", 16), String(channel.members.length)];
  const choices = channel.members.map((id) => ({ text: userName(id), note: `@${state.users.get(id)?.name ?? id}`, face: avatar(userName(id), { id, bot: state.users.get(id)?.is_bot, size: "small" }) }));
  return popupMenu({ label: `${channel.members.length} members`, face, class: "button button-small", choices });
}

export function channelBar(openSidebar) {
  const title = h("h1", { id: "place-title" });
  const purpose = h("p", { class: "channel-purpose" });
  const members = h("div", { class: "channel-members" });
  const menu = h("button", { type: "button", class: "icon-button menu-button", "aria-label": "Channels and apps", "aria-controls": "sidebar", onclick: openSidebar }, icon("menu"));
  on(["place", "channels", "users", "app", "me"], () => {
    const channel = currentChannel();
    const isApp = state.place.kind === "home" || channel?.id === directMessages()?.id;
    if (isApp) fill(title, mark(24), state.app?.name ?? "App", h("span", { class: "badge" }, "APP"));
    else fill(title, icon("hash", 20), channel?.name ?? "");
    fill(purpose, isApp || !channel ? "" : textOf(channel.purpose) || textOf(channel.topic));
    fill(members, !isApp && channel && [channel.is_ext_shared && h("span", { class: "badge badge-shared" }, "Shared with another company"), memberMenu(channel)]);
    document.title = `${isApp ? (state.app?.name ?? "App") : `#${channel?.name ?? ""}`} · ${userName(state.me)} · Causeway playground`;
  });
  return h("header", { class: "channel-bar" }, h("div", { class: "channel-line" }, menu, title, purpose, members), appTabs());
}
