/** The standard Markdown of `markdown` blocks, as far as bots use it. */

import { h } from "./dom.js";
import { link } from "./mrkdwn.js";
import { withSigns } from "./signs.js";

const INLINE = [
  [/`([^`]+)`/, (m) => h("code", {}, m[1])],
  [/\[([^\]]+)\]\(([^()\s]+)\)/, (m) => link(m[2], inline(m[1]))],
  [/\*\*([^*]+)\*\*|__([^_]+)__/, (m) => h("strong", {}, inline(m[1] ?? m[2]))],
  [/~~([^~]+)~~/, (m) => h("s", {}, inline(m[1]))],
  [/\*([^*\s][^*]*)\*|\b_([^_]+)_\b/, (m) => h("em", {}, inline(m[1] ?? m[2]))],
];

function inline(text) {
  let first = null;
  for (const [pattern, build] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, build };
  }
  if (!first) return withSigns(text);
  const { match, build } = first;
  return [...withSigns(text.slice(0, match.index)), build(match), ...inline(text.slice(match.index + match[0].length))];
}

const cells = (line) => line.replace(/^\s*\||\|\s*$/g, "").split("|").map((cell) => cell.trim());

function table(head, rows) {
  const row = (tag, line) => h("tr", {}, cells(line).map((cell) => h(tag, {}, inline(cell))));
  return h("div", { class: "table-scroll" }, h("table", {}, h("thead", {}, row("th", head)), h("tbody", {}, rows.map((line) => row("td", line)))));
}

/** Take lines while they match and return them without their sign. */
function take(lines, pattern) {
  const taken = [];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift().replace(pattern, ""));
  return taken;
}

function code(lines) {
  lines.shift();
  const body = [];
  while (lines.length && !lines[0].startsWith("```")) body.push(lines.shift());
  lines.shift();
  return h("pre", {}, h("code", {}, body.join("\n")));
}

const BULLET = /^\s*[-*+]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const QUOTE = /^>\s?/;
const isTable = (lines) => lines[0].includes("|") && /^\s*\|?\s*:?-+:?\s*(\||$)/.test(lines[1] ?? "");

function block(lines) {
  const line = lines[0];
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (line.startsWith("```")) return code(lines);
  if (heading) return lines.shift() && h("p", { class: `md-heading md-heading-${heading[1].length}`, role: "heading", "aria-level": "4" }, inline(heading[2]));
  if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) return lines.shift() && h("hr");
  if (BULLET.test(line)) return h("ul", {}, take(lines, BULLET).map((item) => h("li", {}, inline(item))));
  if (NUMBER.test(line)) return h("ol", {}, take(lines, NUMBER).map((item) => h("li", {}, inline(item))));
  if (QUOTE.test(line)) return h("blockquote", {}, inline(take(lines, QUOTE).join("\n")));
  if (isTable(lines)) {
    const head = lines.shift();
    lines.shift();
    const rows = [];
    while (lines.length && lines[0].includes("|")) rows.push(lines.shift());
    return table(head, rows);
  }
  const text = [lines.shift()];
  while (lines.length && lines[0].trim() && !/^(#|```|>|\s*[-*+]\s|\s*\d+[.)]\s)/.test(lines[0])) text.push(lines.shift());
  return h("p", {}, inline(text.join("\n")));
}

/** Return the nodes of a Markdown text. */
export function markdown(text) {
  const lines = String(text ?? "").split("\n");
  const nodes = [];
  while (lines.length) {
    if (lines[0].trim()) nodes.push(block(lines));
    else lines.shift();
  }
  return nodes;
}
