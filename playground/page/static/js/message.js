/** One message: who, when, what it says, its files, reactions and thread. */

import * as api from "./api.js";
import { blocks } from "./blocks.js";
import { fingerprint, h } from "./dom.js";
import { files } from "./files.js";
import { icon } from "./icons.js";
import { inspect } from "./inspector.js";
import { popupMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar, isBot, sender, userName } from "./names.js";
import { openThread } from "./navigate.js";
import { sign } from "./signs.js";
import { state } from "./store.js";
import { messageContext } from "./surfaces.js";
import { ago, dateOf, full, time } from "./time.js";
import { tell } from "./toast.js";

const QUICK = ["+1", "white_check_mark", "eyes", "tada", "rocket", "hourglass", "question", "x"];

const react = (message, name, remove) =>
  api.react({ user: state.me, channel: message.channel, ts: message.ts, name, remove }).catch((error) => tell(error.message));

function reactions(message) {
  if (!message.reactions?.length) return null;
  const pills = message.reactions.map(({ name, count, users = [] }) => {
    const mine = users.includes(state.me);
    const who = users.map(userName).join(", ");
    return h("button", { type: "button", class: `reaction${mine ? " reaction-mine" : ""}`, "aria-pressed": String(mine), "aria-label": `${name}, ${count}: ${who}`, title: who, onclick: () => react(message, name, mine) }, sign(name), h("span", {}, String(count)));
  });
  return h("div", { class: "reactions" }, pills);
}

function threadLine(message, inThread) {
  if (inThread || !message.reply_count) return null;
  const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const last = message.latest_reply ? h("span", { class: "thread-last" }, `Last reply ${ago(dateOf(message.latest_reply))}`) : null;
  return h("button", { type: "button", class: "thread-line", onclick: () => openThread(message.ts) }, icon("thread", 16), h("strong", {}, words), last);
}

function toolbar(message, inThread) {
  const add = popupMenu({
    label: "Add a reaction", face: h("span", { class: "smiley" }, "☺"), class: "icon-button",
    choices: QUICK.map((name) => ({ text: name.replace(/_/g, " "), face: sign(name), choose: () => react(message, name) })),
  });
  const button = (label, drawing, onclick) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick }, icon(drawing));
  return h(
    "div", { class: "message-tools", role: "group", "aria-label": "Message actions" },
    !message.ephemeral_to && add,
    !message.ephemeral_to && !inThread && button("Reply in thread", "thread", () => openThread(message.thread_ts ?? message.ts)),
    button("Show payload", "code", () => inspect("Message", message)),
  );
}

function attachment(item, context) {
  const bar = h("div", { class: "attachment" }, item.pretext && h("div", {}, mrkdwn(item.pretext)), item.title && h("strong", {}, item.title), item.text && mrkdwn(item.text), blocks(item.blocks, context));
  if (/^#[0-9a-f]{6}$/i.test(item.color ?? "")) bar.style.borderLeftColor = item.color;
  return bar;
}

function content(message) {
  const context = messageContext(message);
  const body = message.blocks?.length ? blocks(message.blocks, context) : h("div", { class: "message-text" }, mrkdwn(message.text), editedMark(message));
  return [body, (message.attachments ?? []).map((item) => attachment(item, context))];
}

function editedMark(message) {
  return message.edited ? h("span", { class: "edited", title: `Edited ${full(dateOf(message.edited.ts))}` }, " (edited)") : null;
}

/** Return the message's node; `compact` leaves out sender and picture, as below another by the same sender. */
export function messageNode(message, { compact = false, inThread = false } = {}) {
  const who = sender(message);
  const bot = Boolean(message.bot_id) || isBot(message.user);
  const date = dateOf(message.ts);
  const stamp = h("time", { class: "message-time", datetime: date.toISOString(), title: full(date) }, time(date));
  const head = compact ? null : h("div", { class: "message-head" }, h("span", { class: "message-sender" }, who), bot && h("span", { class: "badge" }, "APP"), stamp, message.blocks?.length ? editedMark(message) : null);
  const label = `${who}, ${time(date)}${message.ephemeral_to ? ", only visible to you" : ""}`;
  return h(
    "article", { class: `message${compact ? " message-compact" : ""}${message.ephemeral_to ? " message-ephemeral" : ""}`, dataset: { ts: message.ts }, "aria-label": label, tabindex: "-1" },
    h("div", { class: "message-side" }, compact ? stamp : avatar(who, { id: message.user ?? message.bot_id ?? who, bot })),
    h("div", { class: "message-main" },
      message.ephemeral_to && h("div", { class: "ephemeral-note" }, icon("eye", 14), "Only visible to you"),
      head, content(message), files(message.files), reactions(message), threadLine(message, inThread)),
    toolbar(message, inThread),
  );
}

/** Return what a message list needs to draw a message only when it has changed. */
export function entry(message, options) {
  return { key: message.ts, signature: fingerprint([message, options.compact, state.me, state.users.size]), build: () => messageNode(message, options) };
}
