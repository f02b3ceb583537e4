/** The dialog that asks before an action. */

import { h, uid } from "./dom.js";
import { textObject } from "./elements.js";

/** Ask; the promise is true when the person confirms. */
export function confirmFirst(confirm) {
  return new Promise((resolve) => {
    const title = uid("confirm");
    const done = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const yes = h("button", { type: "button", class: `button button-${confirm.style === "danger" ? "danger" : "primary"}`, onclick: () => done(true) }, textObject(confirm.confirm ?? "Yes"));
    const no = h("button", { type: "button", class: "button", onclick: () => done(false) }, textObject(confirm.deny ?? "Cancel"));
    const dialog = h(
      "dialog", { class: "dialog dialog-small", role: "alertdialog", "aria-labelledby": title, oncancel: (event) => {
        event.preventDefault();
        done(false);
      } },
      h("div", { class: "dialog-head" }, h("h2", { id: title }, textObject(confirm.title ?? "Are you sure?"))),
      h("div", { class: "dialog-body" }, textObject(confirm.text)),
      h("div", { class: "dialog-foot" }, no, yes),
    );
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
