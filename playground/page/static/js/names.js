/** Names, initials and colours of users and channels. */

import { h } from "./dom.js";
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

function initials(name) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? words[0][0] + words[words.length - 1][0] : (words[0] ?? "?").slice(0, 2);
  return letters.toUpperCase();
}

function hue(text) {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)) % 9973;
  return sum % HUES;
}

/** Return a square with the initials of a name. */
export function avatar(name, { id = name, bot = false, size = "medium" } = {}) {
  const classes = `avatar avatar-${size} ${bot ? "avatar-bot" : `hue-${hue(id)}`}`;
  return h("span", { class: classes, "aria-hidden": "true" }, initials(name));
}

/** Return the name of a message's sender: its own `username`, its user, or its app. */
export function sender(message) {
  if (message.username) return message.username;
  if (message.user) return userName(message.user);
  return message.bot_profile?.name ?? state.config.app ?? "App";
}
