/** Building the page's nodes. Text only ever becomes text nodes: nothing in this page parses HTML. */

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "tabIndex", "indeterminate"]);

/** Return an element; `on…` properties are listeners, the rest properties or attributes. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (PROPERTIES.has(key)) node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

/** Append nodes, strings and nested lists; leave out what is nothing. */
export function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child !== null && child !== undefined && child !== false && child !== "") node.append(child);
  }
}

export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** Bring `parent`'s children in line with `items`, keeping nodes whose key and signature have not changed. */
export function reconcile(parent, items) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const { key, signature, build } of items) {
    let node = old.get(key);
    if (!node || node.dataset.signature !== signature) {
      const fresh = build();
      fresh.dataset.key = key;
      fresh.dataset.signature = signature;
      if (node) {
        if (place === node) place = fresh;
        node.replaceWith(fresh);
      }
      node = fresh;
    }
    old.delete(key);
    if (place === node) place = node.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  old.forEach((node) => node.remove());
}

let counter = 0;
/** Return an id that no other element of this page has. */
export function uid(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Return a short fingerprint of anything that JSON can hold. */
export function fingerprint(value) {
  const text = JSON.stringify(value) ?? "";
  let hash = 5381;
  for (let i = 0; i < text.length; i += 1) hash = (hash * 33 + text.charCodeAt(i)) | 0;
  return `${text.length}.${hash >>> 0}`;
}

export function focusables(root) {
  const all = root.querySelectorAll(
    "a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), select:not([disabled]), [tabindex='0']",
  );
  return [...all].filter((node) => node.getClientRects().length > 0 && !node.closest("[inert]"));
}
