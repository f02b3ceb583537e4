/** One combobox for every select menu: single or multiple, fixed options or typeahead (WAI-ARIA combobox pattern). */

import { fill, h, uid } from "./dom.js";
import { icon } from "./icons.js";

const TYPING_PAUSE_MS = 150;

export class Combobox {
  /**
   * `load(query)` answers a list of groups `{label, options: [{value, text, description}]}`.
   * `change(chosen)` hears the list of chosen options after each choice; `clearable` lets an emptied field mean none.
   */
  constructor({ label, placeholder = "", multiple = false, most = Infinity, chosen = [], load, minimum = 0, clearable = false, change, labelledby, id }) {
    Object.assign(this, { placeholder, multiple, most, chosen, load, minimum, clearable, change, active: -1, shown: [], asked: 0 });
    this.list = h("div", { id: uid("list"), class: "combo-list", role: "listbox", popover: "manual", "aria-label": label, "aria-multiselectable": multiple });
    this.input = h("input", {
      id, class: "combo-input", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": this.list.id, "aria-autocomplete": "list",
      "aria-label": labelledby ? null : label, "aria-labelledby": labelledby,
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onfocus: () => this.input.select(), onblur: () => this.close(),
    });
    this.chips = h("span", { class: "combo-chips" });
    const frame = h("div", { class: "combo-frame", onmousedown: (event) => this.press(event) }, this.chips, this.input, icon("down", 16));
    this.node = h("div", { class: `combo${multiple ? " combo-multiple" : ""}` }, frame, this.list);
    this.draw();
  }

  get open() {
    return this.input.getAttribute("aria-expanded") === "true";
  }

  draw() {
    const single = this.multiple ? null : this.chosen[0];
    this.input.value = single ? single.text : "";
    this.input.placeholder = this.multiple && this.chosen.length ? "" : this.placeholder;
    if (this.multiple) fill(this.chips, this.chosen.map((option) => this.chip(option)));
  }

  chip(option) {
    const remove = () => {
      this.set(this.chosen.filter((other) => other.value !== option.value));
      this.input.focus();
    };
    const button = h("button", { type: "button", class: "chip-remove", "aria-label": `Remove ${option.text}`, onclick: remove }, icon("close", 12));
    return h("span", { class: "chip" }, option.text, button);
  }

  set(options) {
    this.chosen = options;
    this.draw();
    this.change(options);
  }

  press(event) {
    if (event.target.closest(".chip-remove")) return;
    if (event.target !== this.input) event.preventDefault();
    this.input.focus();
    if (this.open) this.close();
    else this.show("");
  }

  typed() {
    clearTimeout(this.pause);
    const query = this.input.value;
    this.pause = setTimeout(() => this.show(query), TYPING_PAUSE_MS);
  }

  /** Open the list with what answers `query`; a late answer to an older question is dropped. */
  async show(query) {
    this.asked += 1;
    const turn = this.asked;
    this.reveal();
    if (query.length < this.minimum) return this.say(`Type ${this.minimum === 1 ? "a letter" : `${this.minimum} letters`} to search.`);
    const late = setTimeout(() => turn === this.asked && this.say("Searching…"), TYPING_PAUSE_MS);
    try {
      const groups = await this.load(query);
      if (turn === this.asked && this.open) this.offer(groups);
    } catch (error) {
      if (turn === this.asked) this.say(`The options could not be loaded: ${error.message}`);
    } finally {
      clearTimeout(late);
    }
    return undefined;
  }

  say(sentence) {
    this.shown = [];
    this.activate(-1);
    fill(this.list, h("div", { class: "combo-note", role: "option", "aria-disabled": "true" }, sentence));
  }

  offer(groups) {
    this.shown = groups.flatMap((group) => group.options);
    if (!this.shown.length) return this.say("Nothing matches.");
    let index = 0;
    fill(this.list, groups.filter((group) => group.options.length).map((group) => {
      const rows = group.options.map((option) => this.row(option, index++));
      return group.label ? h("div", { role: "group", "aria-label": group.label }, h("div", { class: "combo-group", "aria-hidden": "true" }, group.label), rows) : rows;
    }));
    this.place();
    const at = this.shown.findIndex((option) => this.has(option));
    this.activate(this.multiple || at < 0 ? 0 : at);
    return undefined;
  }

  has(option) {
    return this.chosen.some((other) => other.value === option.value);
  }

  row(option, index) {
    const text = h("span", { class: "combo-text" }, option.text, option.description && h("small", {}, option.description));
    const take = (event) => {
      event.preventDefault();
      this.choose(index);
    };
    return h("div", { id: `${this.list.id}-${index}`, class: "combo-option", role: "option", "aria-selected": String(this.has(option)), onmousedown: take, onmousemove: () => this.activate(index, false) }, text, this.has(option) && icon("check", 16));
  }

  activate(index, scroll = true) {
    this.list.querySelector(".is-active")?.classList.remove("is-active");
    this.active = index;
    const row = index < 0 ? null : this.list.querySelector(`[id="${this.list.id}-${index}"]`);
    row?.classList.add("is-active");
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
    if (scroll) row?.scrollIntoView({ block: "nearest" });
  }

  choose(index) {
    const option = this.shown[index];
    if (!option) return;
    if (!this.multiple) this.set([option]);
    else if (this.has(option)) this.set(this.chosen.filter((other) => other.value !== option.value));
    else if (this.chosen.length < this.most) this.set([...this.chosen, option]);
    this.close();
  }

  key(event) {
    const last = this.shown.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (!this.open) this.show("");
      else this.activate(last < 0 ? -1 : (this.active + step + last + 1) % (last + 1));
    } else if (event.key === "Enter" && this.open) this.choose(this.active);
    else if (event.key === "Escape" && this.open) this.close();
    else if (event.key === "Backspace" && this.multiple && this.input.value === "" && this.chosen.length) this.set(this.chosen.slice(0, -1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  reveal() {
    if (this.open) return;
    this.input.setAttribute("aria-expanded", "true");
    this.list.showPopover();
    this.place();
  }

  /** Put the list under the field, or above it where there is more room. */
  place() {
    const field = this.node.getBoundingClientRect();
    const below = innerHeight - field.bottom;
    const up = below < 260 && field.top > below;
    Object.assign(this.list.style, {
      left: `${field.left}px`, width: `${field.width}px`, maxHeight: `${Math.min(300, (up ? field.top : below) - 12)}px`,
      top: up ? "auto" : `${field.bottom + 4}px`, bottom: up ? `${innerHeight - field.top + 4}px` : "auto",
    });
  }

  close() {
    clearTimeout(this.pause);
    this.asked += 1;
    if (this.clearable && this.open && this.input.value === "" && this.chosen.length) this.set([]);
    else this.draw();
    if (!this.open) return;
    this.input.setAttribute("aria-expanded", "false");
    this.activate(-1);
    this.list.hidePopover();
  }
}

/** Return the groups reduced to the options whose text holds `query`. */
export function matching(groups, query) {
  const words = query.trim().toLowerCase();
  const fits = (option) => `${option.text} ${option.description ?? ""}`.toLowerCase().includes(words);
  return words ? groups.map((group) => ({ ...group, options: group.options.filter(fits) })) : groups;
}
