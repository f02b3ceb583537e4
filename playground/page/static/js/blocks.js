/**
 * Block Kit's layout blocks as DOM nodes.
 *
 * A surface (message, modal, App Home) hands in its context:
 *   kept(block_id, action_id)            what the person has already typed there, as {value, chosen}, or undefined
 *   keep(block_id, action_id, value, chosen)  remember it
 *   act(block, element, value)           perform an action; a promise that ends when the app has answered
 *   options({block_id, action_id, query}) options of an external select
 *   errors                               {block_id: sentence} of the last submit
 */

import { confirmFirst } from "./confirm.js";
import { h, uid } from "./dom.js";
import { element, textObject } from "./elements.js";
import { icon } from "./icons.js";
import { image } from "./images.js";
import { markdown } from "./markdown.js";
import { alert, card, plan, table, taskCard } from "./richblocks.js";
import { richText } from "./richtext.js";

/** Return an element outside an input block: using it is an action at once. */
function action(item, block, context, label) {
  const say = async (value, chosen) => {
    if (item.confirm && !(await confirmFirst(item.confirm))) return;
    if (chosen !== undefined || !["button", "overflow"].includes(item.type)) context.keep(block.block_id, item.action_id, value, chosen);
    await context.act(block, item, value);
  };
  return element(item, { context, block, label: label ?? item.placeholder?.text ?? item.action_id ?? item.type, input: false, say });
}

function header(block) {
  return h("h3", { class: "block-header" }, textObject(block.text));
}

function accessory(block, context) {
  const item = block.accessory;
  if (!item) return null;
  const label = typeof block.text === "object" ? block.text?.text?.replace(/[*_~`]/g, "").slice(0, 80) : undefined;
  const node = item.type === "image" ? image(item, "block-thumb") : action(item, block, context, label);
  return h("div", { class: `block-accessory accessory-${item.type}` }, node);
}

function section(block, context) {
  const fields = block.fields?.length ? h("div", { class: "block-fields" }, block.fields.map((field) => h("div", {}, textObject(field)))) : null;
  const text = block.text ? h("div", { class: "block-text" }, textObject(block.text)) : null;
  return h("div", { class: "block-section" }, h("div", { class: "block-body" }, text, fields), accessory(block, context));
}

function contextBlock(block) {
  const items = (block.elements ?? []).map((item) => (item.type === "image" ? image(item, "context-image") : h("span", {}, textObject(item))));
  return h("div", { class: "block-context" }, items);
}

function actions(block, context) {
  return h("div", { class: "block-actions" }, (block.elements ?? []).map((item) => action(item, block, context)));
}

function imageBlock(block) {
  const title = block.title && h("figcaption", {}, textObject(block.title));
  return h("figure", { class: "block-image" }, title, image(block, "block-picture"));
}

const LABELLED_BY_FOR = new Set(["plain_text_input", "rich_text_input", "number_input", "email_text_input", "url_text_input", "datepicker", "timepicker", "datetimepicker"]);

/** Return an input block: label, element, hint and the sentence of an error beside it. */
function input(block, context) {
  const item = block.element ?? {};
  const [label, field, note, wrong] = ["label", "field", "hint", "error"].map(uid);
  const error = context.errors?.[block.block_id];
  const say = (value, chosen, actsNow = chosen !== undefined || !item.type?.endsWith("_input")) => {
    context.keep(block.block_id, item.action_id, value, chosen);
    return block.dispatch_action && actsNow ? context.act(block, item, value) : undefined;
  };
  const describedby = [error && wrong, block.hint && note].filter(Boolean).join(" ") || null;
  const usesFor = LABELLED_BY_FOR.has(item.type);
  const env = { context, block, label: block.label?.text, labelledby: usesFor ? null : label, id: usesFor ? field : null, describedby, input: true, dispatch: block.dispatch_action, say };
  const node = element(item, env);
  const control = node.matches("input, textarea") ? node : node.querySelector("input, textarea");
  if (error) control?.setAttribute("aria-invalid", "true");
  if (!block.optional) control?.setAttribute("aria-required", "true");
  if (describedby) control?.setAttribute("aria-describedby", describedby);
  const optional = block.optional ? h("span", { class: "field-optional" }, " (optional)") : null;
  return h(
    "div", { class: `field${error ? " field-wrong" : ""}` },
    h("label", { id: label, class: "field-label", for: usesFor ? field : null }, textObject(block.label), optional),
    node,
    error && h("p", { id: wrong, class: "field-error", role: "alert" }, icon("warning", 15), error),
    block.hint && h("p", { id: note, class: "field-hint" }, textObject(block.hint)),
  );
}

const BUILDERS = {
  header,
  section,
  context: contextBlock,
  actions,
  context_actions: actions,
  divider: () => h("hr", { class: "block-divider" }),
  image: imageBlock,
  input,
  rich_text: (block) => h("div", { class: "block-rich" }, richText(block)),
  markdown: (block) => h("div", { class: "block-markdown" }, markdown(block.text)),
  table,
  alert,
  plan,
  task_card: taskCard,
  card: (block, context) => card(block, (item) => action(item, block, context)),
};

/** Return the nodes of a list of blocks. */
export function blocks(list, context) {
  return (list ?? []).map((block) => {
    const build = BUILDERS[block.type];
    const node = build ? build(block, context) : h("p", { class: "unknown" }, `This playground does not draw \`${block.type}\` blocks.`);
    node.classList.add("block");
    node.dataset.blockId = block.block_id ?? "";
    return node;
  });
}
