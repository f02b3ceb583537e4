/** Short sentences at the edge of the page, read out by screen readers. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const STAYS_MS = 8000;
let region;

/** Return the region, on top of whatever dialog is open. */
function place() {
  region ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite", popover: "manual" }));
  const top = [...document.querySelectorAll("dialog[open]")].pop() ?? document.body;
  if (region.parentElement !== top) top.append(region);
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
  return region;
}

/** Show a sentence for some seconds. */
export function tell(sentence, kind = "problem") {
  const remove = () => {
    toast.remove();
    if (!region.childElementCount && region.matches(":popover-open")) region.hidePopover();
  };
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: remove }, icon("close", 16));
  const toast = h("div", { class: `toast toast-${kind}` }, icon(kind === "problem" ? "warning" : "check"), h("span", {}, sentence), close);
  place().append(toast);
  setTimeout(remove, STAYS_MS);
}
