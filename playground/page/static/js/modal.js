/** The modal of the user who sits at the page: the top view of the stack, with those below kept. */

import * as api from "./api.js";
import { blocks } from "./blocks.js";
import { fill, fingerprint, focusables, h, reconcile, uid } from "./dom.js";
import { textObject } from "./elements.js";
import { icon, mark } from "./icons.js";
import { inspect } from "./inspector.js";
import { refreshViews } from "./live.js";
import { on, state } from "./store.js";
import { viewContext } from "./surfaces.js";
import { tell } from "./toast.js";

class Modal {
  /** View id → {context, refused}: what was entered there, and what the client itself refused at the last submit. */
  entered = new Map();
  shown = null;
  busy = false;

  constructor() {
    const title = uid("modal");
    this.back = h("button", { type: "button", class: "icon-button", "aria-label": "Back", onclick: () => this.leave(this.top.id) }, icon("left"));
    this.title = h("h2", { id: title, tabindex: "-1" });
    this.notice = h("p", { class: "modal-notice", role: "alert" });
    this.body = h("div", { class: "dialog-blocks" });
    this.closer = h("button", { type: "button", class: "button", onclick: () => this.leave(this.top.id) });
    this.submitter = h("button", { type: "submit", class: "button button-primary" });
    const payload = h("button", { type: "button", class: "icon-button", "aria-label": "Show payload of this view", title: "Show payload", onclick: () => inspect("View", this.top) }, icon("code"));
    const cross = h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => this.leave(this.top.root_view_id ?? this.top.id) }, icon("close"));
    const form = h(
      "form", { novalidate: true, onsubmit: (event) => this.submit(event) },
      h("header", { class: "dialog-head" }, this.back, mark(28), this.title, payload, cross),
      h("div", { class: "dialog-body" }, this.notice, this.body),
      h("footer", { class: "dialog-foot" }, this.closer, this.submitter),
    );
    this.node = h("dialog", { class: "dialog modal", "aria-labelledby": title, onkeydown: (event) => this.trap(event), oncancel: (event) => {
      event.preventDefault();
      if (event.target === this.node) this.leave(this.top.id);
    } }, form);
    on(["modals", "users"], () => this.draw());
  }

  get top() {
    return state.modals[state.modals.length - 1];
  }

  draw() {
    const view = this.top;
    if (!view) return this.hide();
    const held = this.heldFor(view);
    const errors = { ...view.errors, ...held.refused };
    this.back.hidden = state.modals.length < 2;
    fill(this.title, textObject(view.title));
    fill(this.notice, view.notice && [icon("warning", 16), view.notice]);
    const context = { ...held.context, errors };
    reconcile(this.body, (view.blocks ?? []).map((block, index) => ({
      key: `${view.id}/${block.block_id ?? index}`, signature: fingerprint([block, errors[block.block_id]]), build: () => blocks([block], context)[0],
    })));
    fill(this.closer, view.close ? textObject(view.close) : "Close");
    fill(this.submitter, view.submit ? textObject(view.submit) : "Submit");
    this.submitter.hidden = !view.submit && !view.blocks?.some((block) => block.type === "input");
    this.show(view);
    return undefined;
  }

  heldFor(view) {
    if (!this.entered.has(view.id)) {
      const context = viewContext(() => state.modals.find((other) => other.id === view.id) ?? view);
      this.entered.set(view.id, { context, refused: {} });
    }
    return this.entered.get(view.id);
  }

  show(view) {
    if (!this.node.open) {
      this.opener = document.activeElement;
      this.node.showModal();
    }
    const face = `${view.id}/${view.callback_id}/${view.title?.text}`;
    if (this.shown === face) return;
    this.shown = face;
    this.body.parentElement.scrollTop = 0;
    const wanted = view.blocks?.find((block) => block.element?.focus_on_load);
    const first = wanted ? this.body.querySelector(`[data-block-id="${CSS.escape(wanted.block_id)}"]`) : this.body;
    (focusables(first)[0] ?? this.title).focus();
  }

  hide() {
    this.entered.clear();
    this.shown = null;
    if (!this.node.open) return;
    this.node.close();
    this.opener?.focus?.();
  }

  async submit(event) {
    event.preventDefault();
    if (this.busy || this.submitter.hidden) return;
    const view = this.top;
    const held = this.heldFor(view);
    held.refused = {};
    this.work(true);
    try {
      await api.submitView({ user: state.me, view_id: view.id, values: held.context.entered() });
    } catch (error) {
      held.refused = error.errors ?? {};
      if (!Object.keys(held.refused).length) tell(error.message);
    }
    await refreshViews().catch((error) => tell(error.message));
    this.work(false);
    this.draw();
    this.node.querySelector("[aria-invalid], .field-wrong input, .field-wrong textarea")?.focus();
  }

  work(busy) {
    this.busy = busy;
    this.node.setAttribute("aria-busy", String(busy));
    this.submitter.disabled = busy;
    this.submitter.toggleAttribute("aria-busy", busy);
  }

  async leave(id) {
    if (this.busy) return;
    try {
      await api.closeView({ user: state.me, view_id: id });
    } catch (error) {
      tell(error.message);
    }
    await refreshViews().catch((error) => tell(error.message));
  }

  /** Keep Tab inside the dialog. */
  trap(event) {
    if (event.key !== "Tab") return;
    const all = focusables(this.node);
    const [first, last] = [all[0], all[all.length - 1]];
    if (event.shiftKey && document.activeElement === first) last.focus();
    else if (!event.shiftKey && document.activeElement === last) first.focus();
    else return;
    event.preventDefault();
  }
}

export function modal() {
  return new Modal().node;
}
