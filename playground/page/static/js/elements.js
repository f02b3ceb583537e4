/**
 * Block Kit's interactive elements.
 *
 * Each builder gets `(element, env)` with `env = {context, block, label, labelledby, id, describedby, input, say}`:
 * `say(value, chosen)` tells the surface a plain value (text, option value, list of them, date); `input` is true
 * inside an input block, where a value waits for the submit, and false where it is an action at once.
 */

import { h, uid } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { popupMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { isSelect, select } from "./selects.js";
import { withSigns } from "./signs.js";

/** Return a text object's nodes. */
export function textObject(text) {
  if (!text) return [];
  if (typeof text === "string") return withSigns(text);
  if (text.type === "mrkdwn") return mrkdwn(text.text, text.verbatim);
  return text.emoji === false ? [text.text] : withSigns(text.text ?? "");
}

/** Run `work` while the control shows that it is busy. */
async function busy(control, work) {
  control.setAttribute("aria-busy", "true");
  control.disabled = true;
  try {
    await work();
  } finally {
    control.removeAttribute("aria-busy");
    control.disabled = false;
  }
}

function names(env) {
  return { id: env.id, "aria-label": env.labelledby || env.id ? null : env.label, "aria-labelledby": env.labelledby, "aria-describedby": env.describedby };
}

function button(element, env) {
  const style = element.style ? ` button-${element.style}` : "";
  const press = () => busy(node, () => env.say(element.value ?? ""));
  const props = { class: `button${style}`, "aria-label": element.accessibility_label, dataset: { actionId: element.action_id ?? "" } };
  const url = /^https?:/i.test(element.url ?? "") ? element.url : null;
  const node = url
    ? h("a", { ...props, href: url, target: "_blank", rel: "noopener noreferrer", onclick: () => env.say(element.value ?? "") }, textObject(element.text), icon("link", 14))
    : h("button", { ...props, type: "button", onclick: press }, textObject(element.text));
  return node;
}

function overflow(element, env) {
  const choices = (element.options ?? []).map((option) => ({ text: withEmoji(option.text?.text ?? ""), note: option.description?.text, url: option.url, choose: () => env.say(option.value) }));
  return popupMenu({ label: env.label || "More actions", face: icon("more"), class: "button button-square", choices, dataset: { actionId: element.action_id ?? "" } });
}

function textInput(element, env) {
  const kept = env.context.kept(env.block.block_id, element.action_id);
  const enterActs = (element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"]).includes("on_enter_pressed");
  const typedActs = element.dispatch_action_config?.trigger_actions_on?.includes("on_character_entered");
  const counter = element.max_length ? h("span", { class: "counter", "aria-hidden": "true" }) : null;
  const count = () => counter && (counter.textContent = String(element.max_length - [...field.value].length));
  const field = h(element.multiline || element.type === "rich_text_input" ? "textarea" : "input", {
    ...names(env), class: "text-field", type: element.multiline ? null : { email_text_input: "email", url_text_input: "url" }[element.type] ?? "text",
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    rows: element.multiline ? 4 : null, autocomplete: "off", placeholder: element.placeholder?.text && withEmoji(element.placeholder.text),
    value: kept ? (kept.value ?? "") : (element.initial_value ?? ""), maxlength: element.max_length,
    oninput: () => {
      count();
      env.say(field.value, undefined, Boolean(typedActs));
    },
    onkeydown: (event) => {
      if (event.key !== "Enter" || element.multiline || !enterActs || !env.dispatch) return;
      event.preventDefault(); // Enter would submit the whole form
      env.say(field.value, undefined, true);
    },
  });
  count();
  return counter ? h("span", { class: "counted" }, field, counter) : field;
}

/** Return checkboxes or radio buttons as one group. */
function choices(element, env) {
  const kind = element.type === "checkboxes" ? "checkbox" : "radio";
  const kept = env.context.kept(env.block.block_id, element.action_id);
  const start = kept ? [kept.value ?? []].flat() : [element.initial_options ?? element.initial_option ?? []].flat().map((option) => option.value);
  const name = uid("choice");
  const read = () => {
    const values = [...group.querySelectorAll("input:checked")].map((box) => box.value);
    env.say(kind === "checkbox" ? values : (values[0] ?? null));
  };
  const rows = (element.options ?? []).map((option) => {
    const box = h("input", { type: kind, name, value: option.value, checked: start.includes(option.value), onchange: read });
    return h("label", { class: "choice" }, box, h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))));
  });
  const group = h("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group", "aria-label": env.labelledby ? null : env.label, "aria-labelledby": env.labelledby, "aria-describedby": env.describedby }, rows);
  return group;
}

const pad = (number) => String(number).padStart(2, "0");

function localDateTime(seconds) {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

const PICKERS = {
  datepicker: { type: "date", initial: (element) => element.initial_date, read: (text) => text },
  timepicker: { type: "time", initial: (element) => element.initial_time, read: (text) => text },
  datetimepicker: {
    type: "datetime-local",
    initial: (element) => element.initial_date_time && localDateTime(element.initial_date_time),
    read: (text) => Math.floor(new Date(text).getTime() / 1000),
    show: (value) => localDateTime(value),
  },
};

function picker(element, env) {
  const { type, initial, read, show = (value) => value } = PICKERS[element.type];
  const kept = env.context.kept(env.block.block_id, element.action_id);
  const value = kept ? (kept.value ? show(kept.value) : "") : (initial(element) ?? "");
  const changed = () => (field.value || env.input) && env.say(field.value ? read(field.value) : null);
  const field = h("input", { ...names(env), class: "text-field picker", type, value, onchange: changed });
  return field;
}

const BUILDERS = {
  button,
  workflow_button: button,
  overflow,
  plain_text_input: textInput,
  rich_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  checkboxes: choices,
  radio_buttons: choices,
  datepicker: picker,
  timepicker: picker,
  datetimepicker: picker,
};

/** Return the node of any element; one that this page cannot draw says so. */
export function element(element, env) {
  let node;
  if (isSelect(element.type)) node = select(element, { ...env, clearable: env.input });
  else if (BUILDERS[element.type]) node = BUILDERS[element.type](element, env);
  else node = h("span", { class: "unknown" }, `This playground does not draw \`${element.type}\`.`);
  if (element.action_id) node.dataset.actionId = element.action_id;
  return node;
}
