/** Names, initials and colours of users and channels. */

import { h } from "./dom.js";
import { mark } from "./icons.js";
import { state } from "./store.js";

const HUES = 8;

/** Return a user's display name; ids that nobody knows stay ids. */
export function userName(id) {
  const user = state.users.get(id);
  return user ? user.profile?.display_name || user.real_name || user.profile?.real_name || user.name : id || "Somebody";
}

/** Return a user's handle, which is what fits after an @. */
export function handle(id) {
  return state.users.get(id)?.name ?? id;
}

export function channelName(id) {
  return state.channels.find((channel) => channel.id === id)?.name ?? id;
}

export function isBot(id) {
  return Boolean(state.users.get(id)?.is_bot);
}

/** Return two letters of the last word: sample people share their first name. */
function initials(name) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/).filter(Boolean);
  return [...(words.pop() ?? "?")].slice(0, 2).join("").toUpperCase();
}

/** Return a colour that no other of the first users has. */
function hue(id) {
  const at = [...state.users.keys()].indexOf(id);
  return at >= 0 ? at % HUES : [...id].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 9973, 0) % HUES;
}

/** Return a square with the letters of a name; an app has the drawing instead. */
export function avatar(name, { id = name, bot = false, size = "medium" } = {}) {
  if (bot) return h("span", { class: `avatar avatar-${size}`, "aria-hidden": "true" }, mark(size === "small" ? 24 : 36));
  return h("span", { class: `avatar avatar-${size} hue-${hue(id)}`, "aria-hidden": "true" }, initials(name));
}

/** Return the name of a message's sender: its own `username`, its user, or its app. */
export function sender(message) {
  if (message.username) return message.username;
  if (message.user) return userName(message.user);
  return message.bot_profile?.name ?? state.config.app ?? "App";
}
