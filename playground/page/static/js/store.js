/** What the page knows, in one place; views subscribe to the parts they draw. */

export const state = {
  config: { slack: "", commands: [], people: [] },
  users: new Map(),
  channels: [],
  me: "",
  /** {kind: "channel", id} or {kind: "home"} */
  place: { kind: "channel", id: "" },
  thread: null,
  messages: new Map(),
  replies: [],
  modals: [],
  home: null,
  notices: [],
  online: true,
  loading: true,
};

const listeners = [];
let dirty = new Set();

/** Call `draw` after any of the named parts has changed; several changes in one turn are drawn once. */
export function on(parts, draw) {
  listeners.push({ parts, draw });
}

/** Change parts of the state and draw what hangs on them. */
export function update(changes) {
  Object.assign(state, changes);
  touch(...Object.keys(changes));
}

export function touch(...parts) {
  if (dirty.size === 0) queueMicrotask(flush);
  parts.forEach((part) => dirty.add(part));
}

function flush() {
  const changed = dirty;
  dirty = new Set();
  for (const { parts, draw } of listeners) if (parts.some((part) => changed.has(part))) draw();
}

export function currentChannel() {
  return state.place.kind === "channel" ? state.channels.find((channel) => channel.id === state.place.id) : undefined;
}

export function isMember(channel, user = state.me) {
  return Array.isArray(channel.members) ? channel.members.includes(user) : channel.is_member !== false;
}

/** Read a value that this browser keeps between visits; a browser that keeps none is no error. */
export function recall(key, fallback, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(`playground.${key}`)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function remember(key, value, storage = localStorage) {
  try {
    storage.setItem(`playground.${key}`, JSON.stringify(value));
  } catch {
    return; // private windows may refuse; the page then forgets, which is what the person asked for
  }
}
