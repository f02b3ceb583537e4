/** The playground's clock: what it shows, and the buttons that move it forward. */

import * as api from "./api.js";
import { fill, h, uid } from "./dom.js";
import { icon } from "./icons.js";
import { placeBeside } from "./menu.js";
import { on, touch } from "./store.js";
import { clockFace, now, setOffset } from "./time.js";
import { tell } from "./toast.js";

const STEPS = [["15m", "15 minutes"], ["1h", "1 hour"], ["1d", "1 day"], ["7d", "1 week"]];
const TICK_MS = 5000;

function took(answer) {
  setOffset(answer.offset_s);
  touch("time");
}

export const readClock = async () => took(await api.clock());

export function clock() {
  const face = h("span", { class: "clock-face" });
  const wrong = h("p", { class: "field-error", role: "alert" });
  const forward = async (step) => {
    fill(wrong);
    panel.setAttribute("aria-busy", "true");
    try {
      took(await api.advance(step));
    } catch (error) {
      fill(wrong, error.message);
    } finally {
      panel.removeAttribute("aria-busy");
    }
  };
  const own = h("input", { class: "text-field", type: "text", placeholder: "36h, 90s, 5m, 7d", "aria-label": "How far", autocomplete: "off" });
  const form = h("form", { class: "clock-form", onsubmit: (event) => {
    event.preventDefault();
    forward(own.value.trim());
  } }, own, h("button", { type: "submit", class: "button button-primary" }, "Advance"));
  const panel = h(
    "div", { id: uid("clock"), class: "menu clock-panel", role: "dialog", "aria-label": "Playground clock", popover: "auto" },
    h("div", { class: "menu-heading" }, "Move time forward, to see approvals and previews expire. Every peer follows."),
    h("div", { class: "clock-steps" }, STEPS.map(([step, words]) => h("button", { type: "button", class: "button", onclick: () => forward(step) }, `+ ${words}`))),
    form, wrong,
  );
  const button = h("button", { type: "button", class: "top-button clock-button", "aria-haspopup": "dialog", "aria-controls": panel.id, title: "Playground clock", onclick: () => {
    panel.togglePopover();
    if (panel.matches(":popover-open")) placeBeside(panel, button);
  } }, icon("clock", 17), face);
  const draw = () => {
    fill(face, clockFace(now()));
    button.setAttribute("aria-label", `Playground clock: ${clockFace(now())}`);
  };
  on(["time"], draw);
  on(["activity"], () => readClock().catch(() => undefined)); // a program may have moved it; the banner says when nobody answers
  setInterval(draw, TICK_MS);
  draw();
  return h("span", { class: "menu-anchor" }, button, panel);
}
