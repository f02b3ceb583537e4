/** Files of a message: pictures and text are shown, everything can be downloaded. A picture is said in its own words. */

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const PREVIEW_CHARACTERS = 4000;
const TEXTUAL = /^(text\/|application\/(json|x-yaml|yaml|xml|x-ndjson|toml|javascript|x-sh))/;

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function preview(file) {
  const body = h("div", { class: "file-preview", hidden: true });
  const toggle = async () => {
    body.hidden = !body.hidden;
    button.setAttribute("aria-expanded", String(!body.hidden));
    if (body.hidden || body.childElementCount) return;
    fill(body, h("p", {}, "Loading…"));
    try {
      const text = await api.fileText(file);
      const cut = text.length > PREVIEW_CHARACTERS;
      fill(body, h("pre", {}, h("code", {}, text.slice(0, PREVIEW_CHARACTERS))), cut && h("p", { class: "file-cut" }, "The preview ends here; download the file for the rest."));
    } catch (error) {
      fill(body, h("p", {}, error.message));
    }
  };
  const button = h("button", { type: "button", class: "icon-button", "aria-expanded": "false", "aria-label": `Preview ${file.name}`, title: "Preview", onclick: toggle }, icon("eye"));
  return { button, body };
}

function picture(file, url, name) {
  // Its size is known before it is loaded, so nothing below it moves.
  const size = file.original_w ? { width: String(file.original_w), height: String(file.original_h) } : {};
  return h("a", { class: "file-picture", href: url, target: "_blank", rel: "noopener" }, h("img", { class: "file-image", src: url, alt: file.alt_txt || name, ...size, loading: "lazy" }));
}

function fileNode(file) {
  const name = file.title || file.name;
  const url = api.fileUrl(file);
  const isImage = /^image\/(png|jpeg|gif|webp)/.test(file.mimetype ?? "");
  const isText = TEXTUAL.test(file.mimetype ?? "") || ["text", "yaml", "json", "diff", "markdown"].includes(file.filetype);
  const shown = isText ? preview(file) : null;
  return h(
    "div", { class: "file" },
    h("div", { class: "file-row" },
      h("span", { class: "file-icon" }, icon("file", 22)),
      h("span", { class: "file-name" }, name, h("small", {}, [file.filetype, size(file.size ?? 0)].filter(Boolean).join(" · "))),
      shown?.button,
      h("a", { class: "icon-button", href: url, download: file.name, target: "_blank", rel: "noopener", "aria-label": `Download ${file.name}`, title: "Download" }, icon("download"))),
    isImage && picture(file, url, name),
    shown?.body,
  );
}

/** Return the files of a message, or nothing. */
export function files(list) {
  return list?.length ? h("div", { class: "files" }, list.map(fileNode)) : null;
}
