/** Where the person is: user, channel or App Home, thread. The address holds it, so that a place can be reloaded and shared. */

import * as api from "./api.js";
import { loadForUser, refreshThread, visible } from "./live.js";
import { handle } from "./names.js";
import { lastRead, markRead } from "./unread.js";
import { isMember, recall, remember, state, update } from "./store.js";
import { tell } from "./toast.js";

function address() {
  const place = state.place.kind === "home" ? "app-home" : (state.channels.find((channel) => channel.id === state.place.id)?.name ?? "");
  return `#${handle(state.me)}/${place}${state.thread ? `/${state.thread}` : ""}`;
}

function record() {
  if (location.hash !== address()) history.pushState(null, "", address());
  remember("me", state.me, sessionStorage);
}

function firstChannel() {
  const own = state.channels.filter((channel) => visible(channel) && !channel.is_im && isMember(channel));
  return own[0] ?? state.channels[0];
}

/** Return when the newest message there was sent: what comes while one looks is not "new". */
const newest = (channel) => Number((state.messages.get(channel) ?? []).at(-1)?.ts ?? 0);

export function goTo(place, { thread = null, quiet = false } = {}) {
  const moved = place.kind !== state.place.kind || place.id !== state.place.id;
  update({ place, thread, replies: [], ...(moved || state.loading ? { fresh: { since: lastRead(place.id), until: newest(place.id) } } : {}) });
  if (place.kind === "home") api.openHome(state.me).catch((error) => tell(error.message));
  else markRead(place.id);
  if (thread) refreshThread().catch((error) => tell(error.message));
  if (!quiet) record();
}

export const goToChannel = (id) => goTo({ kind: "channel", id });
export const goHome = () => goTo({ kind: "home" });

export function openThread(ts) {
  goTo(state.place, { thread: ts });
}

export function closeThread() {
  update({ thread: null, replies: [] });
  record();
}

/** Sit down as another user; the channel stays when that user can see it. */
export async function become(user, { quiet = false } = {}) {
  update({ me: user, modals: [], home: null, loading: true, thread: null, replies: [] });
  await loadForUser();
  const here = state.channels.find((channel) => channel.id === state.place.id);
  const stays = state.place.kind === "home" || (here && visible(here) && isMember(here));
  goTo(stays ? state.place : { kind: "channel", id: firstChannel()?.id }, { quiet });
  update({ loading: false });
}

/** Go where the address says; what it does not say comes from the last visit. */
export async function followAddress() {
  const [who, where, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  const users = [...state.users.values()];
  const remembered = recall("me", null, sessionStorage);
  const user = users.find((known) => known.name === who) ?? users.find((known) => known.id === remembered) ?? users[0];
  const channel = state.channels.find((known) => known.name === where || known.id === where);
  if (user && user.id !== state.me) {
    if (where === "app-home") state.place = { kind: "home" };
    else if (channel) state.place = { kind: "channel", id: channel.id };
    await become(user.id, { quiet: true });
  }
  if (where === "app-home" && state.place.kind !== "home") goTo({ kind: "home" }, { quiet: true });
  else if (channel && visible(channel)) goTo({ kind: "channel", id: channel.id }, { thread: thread || null, quiet: true });
  if (location.hash !== address()) history.replaceState(null, "", address());
}
