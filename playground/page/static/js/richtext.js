/** `rich_text` blocks and the rich text inside tables and task cards. */

import { h } from "./dom.js";
import { broadcast, channelLink, link, mention } from "./mrkdwn.js";
import { sign } from "./signs.js";
import { fillDate } from "./time.js";

const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

function styled(node, style = {}) {
  return STYLES.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}

const LEAVES = {
  text: (leaf) => leaf.text ?? "",
  link: (leaf) => link(leaf.url ?? "", leaf.text || leaf.url),
  emoji: (leaf) => sign(leaf.name ?? ""),
  user: (leaf) => mention(leaf.user_id),
  usergroup: (leaf) => h("span", { class: "mention" }, `@${leaf.usergroup_id}`),
  channel: (leaf) => channelLink(leaf.channel_id),
  broadcast: (leaf) => broadcast(leaf.range),
  date: (leaf) => fillDate(leaf.timestamp, leaf.format ?? "{date}") ?? leaf.fallback ?? "",
  color: (leaf) => leaf.value ?? "",
};

function leaves(elements = []) {
  return elements.map((leaf) => styled((LEAVES[leaf.type] ?? LEAVES.text)(leaf), leaf.style));
}

function list(element) {
  const tag = element.style === "ordered" ? "ol" : "ul";
  const items = (element.elements ?? []).map((item) => h("li", {}, leaves(item.elements)));
  const start = tag === "ol" && element.offset ? element.offset + 1 : null;
  return h(tag, { class: `depth-${Math.min(4, element.indent ?? 0)}`, start }, items);
}

const PARTS = {
  rich_text_section: (part) => h("div", { class: "rich-section" }, leaves(part.elements)),
  rich_text_list: list,
  rich_text_preformatted: (part) => h("pre", {}, h("code", {}, leaves(part.elements))),
  rich_text_quote: (part) => h("blockquote", {}, leaves(part.elements)),
};

/** Return the nodes of a rich text's elements. */
export function richText(block) {
  return (block?.elements ?? []).map((part) => PARTS[part.type]?.(part) ?? null);
}
