/** Newer display blocks: table, alert, plan with its task cards, card. */

import { h } from "./dom.js";
import { textObject } from "./elements.js";
import { icon } from "./icons.js";
import { image } from "./images.js";
import { link } from "./mrkdwn.js";
import { richText } from "./richtext.js";

function cell(content, tag, setting = {}) {
  const inside = content?.type === "rich_text" ? richText(content) : (content?.text ?? "");
  const align = ["left", "center", "right"].includes(setting?.align) ? `cell-${setting.align}` : "";
  return h(tag, { class: `${align} ${setting?.is_wrapped === false ? "cell-nowrap" : ""}`.trim(), scope: tag === "th" ? "col" : null }, inside);
}

export function table(block) {
  const [head = [], ...rows] = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const row = (tag) => (line) => h("tr", {}, line.map((content, column) => cell(content, tag, settings[column])));
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {}, h("thead", {}, row("th")(head)), h("tbody", {}, rows.map(row("td")))));
}

const LEVELS = { info: "info", success: "check", warning: "warning", error: "warning", default: "info" };

export function alert(block) {
  const given = block.level ?? block.style ?? "default";
  const level = LEVELS[given] ? given : "default";
  return h("div", { class: `block-alert alert-${level}`, role: "note" }, icon(LEVELS[level]), h("div", {}, textObject(block.text)));
}

const STATUS = { pending: ["dot", "Waiting"], in_progress: ["clock", "In progress"], complete: ["check", "Done"], error: ["warning", "Failed"] };

/** Return one task: its state, title and, below, details, output and sources. */
export function taskCard(task) {
  const status = STATUS[task.status] ? task.status : "pending";
  const [drawing, word] = STATUS[status];
  const sources = (task.sources ?? []).map((source) => link(source.url ?? "", source.text ?? source.url));
  return h(
    "div", { class: `task task-${status}` },
    h("span", { class: "task-state" }, icon(drawing, 16), h("span", { class: "visually-hidden" }, word)),
    h("div", { class: "task-body" },
      h("div", { class: "task-title" }, textObject(task.title)),
      task.details && h("div", { class: "task-details" }, richText(task.details)),
      task.output && h("div", { class: "task-details" }, richText(task.output)),
      sources.length > 0 && h("div", { class: "task-sources" }, sources)),
  );
}

export function plan(block) {
  return h("div", { class: "block-plan" }, h("div", { class: "plan-title" }, textObject(block.title)), (block.tasks ?? []).map(taskCard));
}

export function card(block, action) {
  return h(
    "div", { class: "block-card" },
    block.hero_image && image(block.hero_image, "block-picture"),
    block.title && h("div", { class: "card-title" }, textObject(block.title)),
    block.subtitle && h("div", { class: "card-subtitle" }, textObject(block.subtitle)),
    block.body && h("div", {}, textObject(block.body)),
    block.actions?.length > 0 && h("div", { class: "block-actions" }, block.actions.map(action)),
  );
}
