/** A button that opens a small menu (WAI-ARIA menu button pattern). */

import { append, fill, h, uid } from "./dom.js";

/** Put a popover beside its button, inside the window. */
export function placeBeside(popup, anchor) {
  const box = anchor.getBoundingClientRect();
  const height = popup.offsetHeight;
  const below = box.bottom + 4 + height < innerHeight || box.top < height;
  popup.style.top = `${Math.max(8, below ? box.bottom + 4 : box.top - height - 4)}px`;
  popup.style.left = `${Math.max(8, Math.min(box.left, innerWidth - popup.offsetWidth - 8))}px`;
}

/**
 * Return the button. `choices` is a list, or a function that answers one, of
 * `{text, note, face, url, checked, choose}`; one with a `url` is a link.
 */
export function popupMenu({ label, face, choices, class: className = "", dataset = {}, heading }) {
  const list = h("div", { id: uid("menu"), class: "menu", role: "menu", popover: "auto", "aria-label": label, onkeydown: (event) => walk(event) });
  const opener = h("button", { type: "button", class: className, "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": list.id, "aria-label": label, title: label, dataset, onclick: () => open() });
  append(opener, [face].flat());
  const items = () => [...list.querySelectorAll("[role^=menuitem]")];

  const take = (choice) => () => {
    list.hidePopover();
    opener.focus();
    choice.choose?.();
  };
  const row = (choice) => {
    const inside = [choice.face, h("span", { class: "menu-text" }, choice.text, choice.note && h("small", {}, choice.note))];
    const role = choice.checked === undefined ? "menuitem" : "menuitemradio";
    const props = { role, class: "menu-item", tabindex: "-1", "aria-checked": choice.checked === undefined ? null : String(choice.checked), onclick: take(choice) };
    return /^https?:/i.test(choice.url ?? "") ? h("a", { ...props, href: choice.url, target: "_blank", rel: "noopener noreferrer" }, inside) : h("button", { ...props, type: "button" }, inside);
  };
  const open = () => {
    if (list.matches(":popover-open")) return list.hidePopover();
    fill(list, heading && h("div", { class: "menu-heading" }, heading), (typeof choices === "function" ? choices() : choices).map(row));
    list.showPopover();
    placeBeside(list, opener);
    (items().find((item) => item.getAttribute("aria-checked") === "true") ?? items()[0])?.focus();
    return undefined;
  };
  const walk = (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    const next = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined) all[next].focus();
    else if (event.key === "Escape") {
      list.hidePopover();
      opener.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  list.addEventListener("toggle", (event) => opener.setAttribute("aria-expanded", String(event.newState === "open")));
  return h("span", { class: "menu-anchor" }, opener, list);
}
