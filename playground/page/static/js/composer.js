/** Where people write: messages, commands, with completion and a history. */

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { escape } from "./mrkdwn.js";
import { channelName, userName } from "./names.js";
import { currentChannel, isMember, on, recall, remember, state } from "./store.js";
import { Suggestions } from "./suggest.js";

const KEPT = 50;

/** Turn @handle and #channel into Slack's references, as the client does when it sends. */
export function withReferences(text) {
  const users = new Map([...state.users.values()].map((user) => [user.name.toLowerCase(), user.id]));
  const channels = new Map(state.channels.map((channel) => [channel.name, channel.id]));
  return escape(text)
    .replace(/(^|[\s(])@([\w.-]*\w)/g, (whole, before, name) => (users.has(name.toLowerCase()) ? `${before}<@${users.get(name.toLowerCase())}>` : whole))
    .replace(/(^|[\s(])#([\w-]+)/g, (whole, before, name) => (channels.has(name) ? `${before}<#${channels.get(name)}>` : whole));
}

class History {
  at = 0;

  all() {
    return recall(`history.${state.me}`, []);
  }

  add(text) {
    remember(`history.${state.me}`, [...this.all().filter((line) => line !== text), text].slice(-KEPT));
    this.at = 0;
  }

  /** Return the line `step` further back (or forward, below zero), or undefined at an end. */
  go(step) {
    const lines = this.all();
    const next = this.at + step;
    if (next < 0 || next > lines.length) return undefined;
    this.at = next;
    return next === 0 ? "" : lines[lines.length - next];
  }
}

async function sendCommand(line) {
  const [, command, text = ""] = /^(\/\S+)\s*([\s\S]*)$/.exec(line);
  await api.sendCommand({ user: state.me, channel: state.place.id, command, text });
}

const sendText = (line, thread) => api.sendMessage({ user: state.me, channel: state.place.id, text: withReferences(line), ...(thread ? { thread_ts: thread } : {}) });

export function composer({ inThread = false } = {}) {
  const history = new History();
  const drafts = new Map();
  const note = h("p", { class: "composer-note", role: "alert" });
  const field = h("textarea", { class: "composer-field", rows: 1, autocomplete: "off", spellcheck: "true" });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send", disabled: true }, icon("send"));
  const suggest = new Suggestions(field, { commands: !inThread });
  const form = h("form", { class: "composer", onsubmit: (event) => submit(event) }, suggest.node, h("div", { class: "composer-box" }, field, send), note);
  const place = () => `${state.me}/${state.place.id}/${inThread ? state.thread : ""}`;

  const write = (text) => {
    field.value = text;
    changed();
  };
  const changed = () => {
    send.disabled = !field.value.trim();
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.4)}px`;
    drafts.set(place(), field.value);
  };
  const submit = async (event) => {
    event?.preventDefault();
    const line = field.value.trim();
    if (!line || form.hasAttribute("aria-busy")) return;
    fill(note);
    if (inThread && line.startsWith("/")) return fill(note, "Apps' commands do not work inside threads, here as in Slack. Send it in the channel instead.");
    history.add(line);
    write("");
    const from = place();
    form.setAttribute("aria-busy", "true");
    try {
      await (line.startsWith("/") ? sendCommand(line) : sendText(line, inThread ? state.thread : null));
    } catch (error) {
      fill(note, error.message);
      if (from === place() && !field.value) write(line);
    } finally {
      form.removeAttribute("aria-busy");
    }
    return undefined;
  };
  const key = (event) => {
    if (event.isComposing || suggest.key(event)) return;
    const atStart = field.value.length === 0 || history.at > 0;
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    else if (step && atStart && !event.shiftKey) {
      const line = history.go(step);
      if (line === undefined) return;
      write(line);
      event.preventDefault();
    }
  };
  field.addEventListener("keydown", key);
  field.addEventListener("input", () => {
    history.at = 0;
    fill(note);
    changed();
    suggest.update();
  });

  on(["place", "me", "thread", "channels", "users"], () => {
    const channel = currentChannel();
    const member = channel && isMember(channel);
    const label = inThread ? "Reply…" : channel?.is_im ? `Message ${state.app?.name ?? "the app"}` : `Message #${channelName(state.place.id)}`;
    field.setAttribute("aria-label", label);
    field.placeholder = member || !channel ? label : `${userName(state.me)} is not a member of #${channel.name}`;
    field.disabled = !member;
    if (field.value !== (drafts.get(place()) ?? "")) write(drafts.get(place()) ?? "");
    suggest.close();
  });
  return { node: form, focus: () => field.focus(), write };
}
