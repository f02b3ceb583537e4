/** Pictures. The playground is offline: only pictures of its own peers are loaded, others are named. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { link } from "./mrkdwn.js";
import { state } from "./store.js";

export function isLocal(url) {
  try {
    const { origin, protocol } = new URL(url);
    const peers = Object.values(state.config).filter((value) => typeof value === "string" && value.startsWith("http"));
    return protocol === "data:" ? /^data:image\/(png|jpeg|gif|webp)[;,]/.test(url) : [location.origin, ...peers.map((peer) => new URL(peer).origin)].includes(origin);
  } catch {
    return false;
  }
}

/** Return the picture of an image block or element. */
export function image(item, className) {
  const url = item.image_url ?? item.slack_file?.url ?? (item.slack_file?.id ? api.fileUrl(item.slack_file) : "");
  const missing = () => h("span", { class: `image-missing ${className}`, role: "img", "aria-label": item.alt_text ?? "Picture" }, icon("file", 16), link(url, item.alt_text || "Picture"));
  if (!isLocal(url)) return missing();
  const node = h("img", { class: className, src: url, alt: item.alt_text ?? "", loading: "lazy" });
  node.addEventListener("error", () => node.replaceWith(missing()));
  return node;
}
