/** The message list of a channel: days, groups by sender, the line before what is new. */

import { h, reconcile } from "./dom.js";
import { mark } from "./icons.js";
import { entry } from "./message.js";
import { channelName } from "./names.js";
import { currentChannel, isMember, on, state } from "./store.js";
import { dateOf, dayName } from "./time.js";
import { markRead } from "./unread.js";

const GROUP_SECONDS = 300;
const NEAR_END_PX = 120;

function divider(key, text, className = "") {
  return { key, signature: text, build: () => h("div", { class: `day ${className}`, role: "separator", "aria-label": text }, h("span", {}, text)) };
}

function isCompact(message, before) {
  if (!before || message.user !== before.user || message.bot_id !== before.bot_id || message.username !== before.username) return false;
  const sameKind = Boolean(message.ephemeral_to) === Boolean(before.ephemeral_to);
  return sameKind && !message.bot_id && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
}

/** Return the list's items in order, dividers included. */
export function itemsOf(messages, { fresh = { since: Infinity, until: 0 }, inThread = false } = {}) {
  const items = [];
  let before = null;
  let marked = false;
  for (const message of messages) {
    const date = dateOf(message.ts);
    if (!inThread && (!before || dateOf(before.ts).toDateString() !== date.toDateString())) {
      items.push(divider(`day-${date.toDateString()}`, dayName(date)));
      before = null;
    }
    if (!marked && Number(message.ts) > fresh.since && Number(message.ts) <= fresh.until && message.user !== state.me) {
      items.push(divider("new", "New", "day-new"));
      [marked, before] = [true, null];
    }
    items.push(entry(message, { compact: isCompact(message, before), inThread }));
    before = message;
  }
  return items;
}

function welcome(channel) {
  const purpose = channel.is_im ? "Direct messages between you and the app." : `This is the very beginning of #${channel.name}.`;
  return {
    key: "welcome", signature: channel.id,
    build: () => h("div", { class: "welcome" }, mark(44), h("h2", {}, channel.is_im ? `${state.app?.name ?? "App"} · Messages` : `#${channel.name}`), h("p", {}, purpose, channel.purpose && h("br"), textOf(channel.purpose))),
  };
}

export const textOf = (purpose) => (typeof purpose === "string" ? purpose : (purpose?.value ?? ""));

/** Move the focus between messages with the arrow keys. */
function walk(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || !event.target.matches(".message")) return;
  const all = [...event.currentTarget.querySelectorAll(".message")];
  all[all.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}

export function messageList() {
  const list = h("div", { class: "message-items" });
  const node = h("div", { id: "messages", class: "messages", role: "log", "aria-label": "Messages", "aria-live": "polite", tabindex: "0", onkeydown: walk }, list);
  node.addEventListener("keydown", (event) => {
    if (event.target !== node || event.key !== "ArrowUp") return;
    [...list.querySelectorAll(".message")].pop()?.focus();
    event.preventDefault();
  });
  let shown = "";
  const draw = () => {
    const channel = currentChannel();
    if (!channel) return;
    const place = `${state.me}/${channel.id}`;
    const stick = place !== shown || node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX;
    const known = state.messages.get(channel.id) ?? [];
    node.setAttribute("aria-label", `Messages in ${channelName(channel.id)}`);
    reconcile(list, [welcome(channel), ...itemsOf(known, { fresh: state.fresh })]);
    if (stick) node.scrollTop = node.scrollHeight;
    shown = place;
    if (document.visibilityState === "visible" && isMember(channel)) markRead(channel.id);
  };
  on(["messages", "place", "me", "users", "channels", "fresh"], draw);
  new ResizeObserver(() => {
    if (node.dataset.stuck === "true") node.scrollTop = node.scrollHeight;
  }).observe(list);
  node.addEventListener("scroll", () => (node.dataset.stuck = String(node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX)), { passive: true });
  return node;
}
