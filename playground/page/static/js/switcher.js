/** The quick switcher: jump to a channel, the app or another user by typing a few letters. */

import { fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { visible } from "./live.js";
import { avatar, userName } from "./names.js";
import { become, goHome, goToChannel } from "./navigate.js";
import { noteOf, people } from "./sidebar.js";
import { state } from "./store.js";
import { tell } from "./toast.js";

function targets() {
  const channels = state.channels.filter((channel) => !channel.is_im && visible(channel))
    .map((channel) => ({ text: `#${channel.name}`, note: "channel", face: icon("hash", 18), go: () => goToChannel(channel.id) }));
  const app = { text: `${state.app?.name ?? "App"} Home`, note: "app", face: mark(20), go: goHome };
  const users = people().filter((id) => id !== state.me)
    .map((id) => ({ text: `Become ${userName(id)}`, note: noteOf(id), face: avatar(userName(id), { id, size: "small" }), go: () => become(id).catch((error) => tell(error.message)) }));
  return [...channels, app, ...users];
}

export function quickSwitcher() {
  let shown = [];
  let active = 0;
  const list = h("div", { id: "quick-list", class: "quick-list", role: "listbox", "aria-label": "Places and people" });
  const input = h("input", {
    class: "quick-input", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-label": "Jump to a channel or a user",
    placeholder: "Jump to a channel or a user…", autocomplete: "off", spellcheck: "false", oninput: () => draw(), onkeydown: (event) => key(event),
  });
  const node = h("dialog", { class: "dialog quick", "aria-label": "Quick switcher", onclick: (event) => event.target === node && node.close() }, input, list);

  const take = (index) => {
    node.close();
    shown[index]?.go();
  };
  const activate = (index) => {
    active = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    list.children[index]?.scrollIntoView({ block: "nearest" });
    if (list.children[index]?.id) input.setAttribute("aria-activedescendant", list.children[index].id);
  };
  const draw = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = targets().filter((target) => words.every((word) => `${target.text} ${target.note}`.toLowerCase().includes(word)));
    fill(list, shown.map((target, index) => h("div", { id: `quick-${index}`, class: "quick-item", role: "option", onclick: () => take(index) }, target.face, h("span", {}, target.text), h("small", {}, target.note))));
    if (!shown.length) fill(list, h("p", { class: "quick-none" }, "Nothing has that name here."));
    activate(0);
  };
  const key = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) activate((active + step + shown.length) % shown.length);
    else if (event.key === "Enter") take(active);
    else return;
    event.preventDefault();
  };
  const open = () => {
    if (node.open) return node.close();
    if (document.querySelector("dialog[open]")) return undefined;
    input.value = "";
    draw();
    node.showModal();
    input.focus();
    return undefined;
  };
  return { node, open };
}
