/** The panel on the right: one thread, with its own composer. */

import { composer } from "./composer.js";
import { fill, h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { itemsOf } from "./messages.js";
import { channelName } from "./names.js";
import { closeThread } from "./navigate.js";
import { on, state } from "./store.js";

export function threadPanel() {
  const list = h("div", { class: "message-items" });
  const scroll = h("div", { class: "messages", role: "log", "aria-label": "Thread", "aria-live": "polite", tabindex: "0" }, list);
  const where = h("span", { class: "panel-place" });
  const close = () => {
    const root = state.thread;
    closeThread();
    document.querySelector(`#messages [data-ts="${CSS.escape(root)}"]`)?.focus();
  };
  const closer = h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", onclick: close }, icon("close"));
  const box = composer({ inThread: true });
  const node = h(
    "aside", { class: "panel thread-panel", "aria-label": "Thread", hidden: true, onkeydown: (event) => event.key === "Escape" && !event.defaultPrevented && close() },
    h("header", { class: "panel-head" }, h("h2", {}, "Thread"), where, closer), scroll, box.node,
  );
  let shown = null;
  let count = 0;
  on(["thread", "replies", "me", "users"], () => {
    node.hidden = !state.thread;
    document.body.classList.toggle("has-thread", Boolean(state.thread));
    if (!state.thread) {
      shown = null;
      return;
    }
    fill(where, `#${channelName(state.place.id)}`);
    const [root, ...replies] = state.replies;
    const words = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
    const rule = { key: "rule", signature: words, build: () => h("div", { class: "day thread-rule", role: "separator", "aria-label": words }, h("span", {}, words)) };
    const items = root ? [...itemsOf([root], { inThread: true }), ...(replies.length ? [rule] : []), ...itemsOf(replies, { inThread: true })] : [];
    reconcile(list, items);
    if (shown !== state.thread) box.focus();
    if (shown !== state.thread || state.replies.length > count) scroll.scrollTop = scroll.scrollHeight;
    [shown, count] = [root ? state.thread : null, state.replies.length];
  });
  return node;
}
