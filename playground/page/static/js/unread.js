/** What each sample user has not read yet, kept by this browser. */

import { recall, remember, state, touch } from "./store.js";

const seen = recall("read", {});
const EVERYBODY = "*";

const latest = (channel) => {
  const others = (state.messages.get(channel) ?? []).filter((message) => message.user !== state.me);
  return others.length ? others[others.length - 1].ts : "0";
};

/** Count what was there before the first visit as read, for every user. */
export function startReading(moment) {
  if (seen[EVERYBODY]) return;
  seen[EVERYBODY] = moment;
  remember("read", seen);
}

export function lastRead(channel) {
  return Number(seen[state.me]?.[channel] ?? seen[EVERYBODY] ?? 0);
}

export function markRead(channel) {
  const mine = (seen[state.me] ??= {});
  const newest = latest(channel);
  if (lastRead(channel) >= Number(newest)) return;
  mine[channel] = newest;
  remember("read", seen);
  touch("unread");
}

/** Return {count, mentions} of messages newer than the last one read. */
export function unread(channel) {
  const since = lastRead(channel);
  const fresh = (state.messages.get(channel) ?? []).filter((message) => Number(message.ts) > since && message.user !== state.me);
  const named = fresh.filter((message) => message.ephemeral_to || `${message.text} ${JSON.stringify(message.blocks ?? [])}`.includes(`<@${state.me}>`));
  return { count: fresh.length, mentions: named.length };
}
