/** Completion above the composer: commands after /, people after @, channels after #, emoji after a colon. */

import { fill, h, uid } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { avatar, userName } from "./names.js";
import { sign } from "./signs.js";
import { state } from "./store.js";

const MOST = 8;
const WORD = /(^|\s)([@#:])([\w+-]*)$/;

const KINDS = {
  "@": (word) => [...state.users.values()].filter((user) => !user.deleted && `${user.name} ${userName(user.id)}`.toLowerCase().includes(word))
    .map((user) => ({ insert: `@${user.name} `, title: userName(user.id), note: `@${user.name}`, face: avatar(userName(user.id), { id: user.id, bot: user.is_bot, size: "small" }) })),
  "#": (word) => state.channels.filter((channel) => !channel.is_im && channel.name.includes(word)).map((channel) => ({ insert: `#${channel.name} `, title: `#${channel.name}`, note: "" })),
  ":": (word) => (word.length < 2 ? [] : [...EMOJI].filter(([name]) => name.includes(word)).map(([name]) => ({ insert: `:${name}: `, title: `:${name}:`, note: "", face: h("span", {}, sign(name)) }))),
};

export class Suggestions {
  constructor(field, { commands }) {
    Object.assign(this, { field, commands, shown: [], active: 0, start: 0 });
    this.node = h("div", { id: uid("suggest"), class: "suggest", role: "listbox", "aria-label": "Suggestions", hidden: true });
    for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-controls": this.node.id, "aria-expanded": "false", role: "combobox" })) field.setAttribute(name, value);
    field.addEventListener("blur", () => this.close());
  }

  /** Offer what fits the text before the caret. */
  update() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const word = WORD.exec(before);
    if (this.commands && /^\/\S*$/.test(before)) this.offer(0, this.commandsFor(before.toLowerCase()));
    else if (word) this.offer(before.length - word[3].length - 1, KINDS[word[2]](word[3].toLowerCase()));
    else this.close();
  }

  commandsFor(typed) {
    return (state.commands ?? []).filter(({ command }) => command.startsWith(typed))
      .map(({ command, usage_hint: hint, description }) => ({ insert: `${command} `, title: command, hint, note: description }));
  }

  offer(start, found) {
    const shown = found.slice(0, MOST);
    if (!shown.length) return this.close();
    Object.assign(this, { start, shown });
    fill(this.node, shown.map((item, index) => h(
      "div", { id: `${this.node.id}-${index}`, class: "suggest-item", role: "option", "aria-selected": "false", onmousedown: (event) => {
        event.preventDefault();
        this.take(index);
      } },
      item.face, h("span", { class: "suggest-title" }, item.title, item.hint && h("code", {}, item.hint)), item.note && h("small", {}, item.note),
    )));
    this.node.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.activate(0);
    return undefined;
  }

  activate(index) {
    this.active = index;
    [...this.node.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    this.node.children[index]?.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", `${this.node.id}-${index}`);
  }

  take(index) {
    const { insert } = this.shown[index];
    this.field.setRangeText(insert, this.start, this.field.selectionStart, "end");
    this.close();
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Handle a key; true when it was meant for the list. */
  key(event) {
    if (this.node.hidden) return false;
    const count = this.shown.length;
    const complete = this.field.value.slice(this.start, this.field.selectionStart) === this.shown[this.active]?.insert.trim();
    if (event.key === "ArrowDown") this.activate((this.active + 1) % count);
    else if (event.key === "ArrowUp") this.activate((this.active - 1 + count) % count);
    else if (event.key === "Tab" || (event.key === "Enter" && !complete)) this.take(this.active);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close() {
    if (this.node.hidden) return;
    this.node.hidden = true;
    this.shown = [];
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}
