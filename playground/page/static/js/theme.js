/** Light, dark, or what the system prefers. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { recall, remember } from "./store.js";

const system = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = recall("theme", null);
  return chosen ? chosen === "dark" : system.matches;
}

function apply() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
}

export function themeToggle() {
  const button = h("button", { type: "button", class: "icon-button top-icon", onclick: () => {
    const next = isDark() ? "light" : "dark";
    remember("theme", next === (system.matches ? "dark" : "light") ? null : next);
    draw();
  } });
  const draw = () => {
    apply();
    const label = isDark() ? "Light theme" : "Dark theme";
    button.setAttribute("aria-label", label);
    button.title = label;
    fill(button, icon(isDark() ? "sun" : "moon"));
  };
  system.addEventListener("change", draw);
  draw();
  return button;
}
