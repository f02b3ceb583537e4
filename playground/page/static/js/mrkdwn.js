/** Slack's mrkdwn as DOM nodes. Everything that is not markup ends in a text node. */

import { h } from "./dom.js";
import { channelName, handle } from "./names.js";
import { sign } from "./signs.js";
import { state } from "./store.js";
import { fillDate } from "./time.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const MARKS = { "*": "strong", _: "em", "~": "s" };
const SAFE_LINK = /^(https?:\/\/|mailto:|tel:)/i;
const CODE = /`([^`\n]+)`/y;
const ANGLE = /<([^<>\n]+)>/y;
const EMOJI = /:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/y;
const BARE_URL = /https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)'"*_~]/y;

export function unescape(text) {
  return text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/** Escape text that a person typed, as the client does before it sends it. */
export function escape(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** Return a link for schemes that cannot run anything, else the plain text. */
export function link(url, label) {
  if (!SAFE_LINK.test(url)) return h("span", {}, label ?? url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label ?? url);
}

export function mention(user) {
  const mine = user === state.me ? " mention-me" : "";
  return h("span", { class: `mention${mine}` }, `@${handle(user)}`);
}

export function channelLink(channel) {
  return h("a", { class: "mention", href: `#${handle(state.me)}/${channelName(channel)}` }, `#${channelName(channel)}`);
}

export function broadcast(range) {
  return h("span", { class: "mention mention-me" }, `@${range}`);
}

function dateNode(body) {
  const [spec, fallback = ""] = split(body);
  const [seconds, pattern = "", url] = spec.slice("!date^".length).split("^");
  const text = fillDate(seconds, pattern) ?? fallback;
  return url ? link(url, text) : h("time", { title: fallback }, text);
}

function split(body) {
  const bar = body.indexOf("|");
  return bar < 0 ? [body] : [body.slice(0, bar), body.slice(bar + 1)];
}

/** Return what stands between < and >: a mention, a date, a channel or a link. */
function angle(body) {
  if (body.startsWith("!date^")) return dateNode(unescape(body));
  const [target, label] = split(body).map(unescape);
  if (target.startsWith("@")) return mention(target.slice(1));
  if (target.startsWith("#")) return channelLink(target.slice(1));
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label ?? "@group");
  if (target.startsWith("!")) return broadcast(target.slice(1));
  return SAFE_LINK.test(target) ? link(target, label) : null;
}

const isWord = (char) => char !== undefined && /[\p{L}\p{N}]/u.test(char);

/** Return where the emphasis that opens at `start` closes, or -1. */
function closing(text, start) {
  const char = text[start];
  if (isWord(text[start - 1]) || /[\s*_~]/.test(text[start + 1] ?? " ")) return -1;
  for (let at = start + 2; at < text.length && text[at] !== "\n"; at += 1) {
    if (text[at] === char && !/\s/.test(text[at - 1]) && !isWord(text[at + 1])) return at;
  }
  return -1;
}

function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Return the piece of markup that begins at `at` as `{node, end}`, or null. */
function piece(text, at, verbatim) {
  const char = text[at];
  if (char === "`") {
    const code = matchAt(CODE, text, at);
    return code && { node: h("code", {}, unescape(code[1])), end: CODE.lastIndex };
  }
  if (char === "<") {
    const found = matchAt(ANGLE, text, at);
    const node = found && angle(found[1]);
    return node ? { node, end: ANGLE.lastIndex } : null;
  }
  if (char === ":" && !isWord(text[at - 1])) {
    const found = matchAt(EMOJI, text, at);
    return found && { node: sign(found[1]), end: EMOJI.lastIndex };
  }
  if (char === "h" && !verbatim && !isWord(text[at - 1])) {
    const found = matchAt(BARE_URL, text, at);
    return found && { node: link(unescape(found[0])), end: BARE_URL.lastIndex };
  }
  if (MARKS[char]) {
    const end = closing(text, at);
    return end > 0 ? { node: h(MARKS[char], {}, inline(text.slice(at + 1, end), verbatim)), end: end + 1 } : null;
  }
  return null;
}

/** Return the nodes of one run of text without line structure. */
export function inline(text, verbatim = false) {
  const nodes = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const found = piece(text, at, verbatim);
    if (found) {
      if (plain) nodes.push(unescape(plain));
      plain = "";
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) nodes.push(unescape(plain));
  return nodes;
}

const QUOTE = /^(?:&gt;|>) ?/;
const BULLET = /^(\s*)(?:[-*•◦▪]|(\d{1,3})[.)])\s+(?=\S)/;

function lineNode(line, verbatim) {
  const bullet = BULLET.exec(line);
  if (!bullet) return h("span", { class: "line" }, inline(line, verbatim));
  const depth = Math.min(3, Math.floor(bullet[1].length / 2));
  const sign = bullet[2] ? `${bullet[2]}.` : "•";
  const rest = inline(line.slice(bullet[0].length), verbatim);
  return h("span", { class: `line line-item depth-${depth}` }, h("span", { class: "line-sign" }, sign), h("span", {}, rest));
}

function lines(text, verbatim) {
  const nodes = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = QUOTE.exec(line);
    if (!quoted) quote = null;
    else if (!quote) nodes.push((quote = h("blockquote")));
    const node = lineNode(quoted ? line.slice(quoted[0].length) : line, verbatim);
    if (quote) quote.append(node);
    else nodes.push(node);
  }
  return nodes;
}

/** Return mrkdwn text as nodes. `verbatim` leaves bare addresses alone. */
export function mrkdwn(text, verbatim = false) {
  const nodes = [];
  String(text ?? "").split("```").forEach((part, index, parts) => {
    const isCode = index % 2 === 1 && index < parts.length - 1;
    if (isCode) nodes.push(h("pre", {}, h("code", {}, unescape(part.replace(/^\n|\n$/g, "")))));
    else if (index % 2 === 1) nodes.push(...lines(`\`\`\`${part}`, verbatim));
    else if (part.trim()) nodes.push(...lines(index > 0 ? part.replace(/^\n/, "") : part.replace(/\n$/, ""), verbatim));
  });
  return nodes;
}
