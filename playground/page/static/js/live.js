/** Loading from the simulator and following its event stream. */

import * as api from "./api.js";
import { state, touch, update } from "./store.js";

const WAIT_S = 25;
const RETRY_MS = 1500;
const refreshing = new Map();

/** Run `work` for `key`; calls that come while it runs are answered by one more run. */
function coalesced(key, work) {
  const running = refreshing.get(key);
  if (running) {
    running.again ??= running.first.catch(() => undefined).then(() => coalesced(key, work));
    return running.again;
  }
  const first = work().finally(() => refreshing.delete(key));
  refreshing.set(key, { first });
  return first;
}

export function refreshChannel(channel) {
  const user = state.me;
  return coalesced(`${user}/${channel}`, async () => {
    const messages = await api.messages({ channel, user });
    if (user !== state.me) return;
    state.messages.set(channel, messages);
    touch("messages");
  });
}

export function refreshThread() {
  if (!state.thread) return Promise.resolve();
  const { thread, me } = state;
  const channel = state.place.id;
  return coalesced(`${me}/${channel}/${thread}`, async () => {
    const replies = await api.messages({ channel, thread_ts: thread, user: me });
    if (thread === state.thread && me === state.me) update({ replies });
  });
}

export function refreshViews() {
  const user = state.me;
  return coalesced(`views/${user}`, async () => {
    const { modals, home } = await api.views(user);
    if (user === state.me) update({ modals, home });
  });
}

async function refreshPeople() {
  const [users, channels] = await Promise.all([api.users(), api.channels()]);
  update({ users: new Map(users.map((user) => [user.id, user])), channels });
}

/** Load what the user who sits at the page may see. */
export async function loadForUser() {
  state.messages = new Map();
  const mine = state.channels.filter((channel) => visible(channel));
  await Promise.all([...mine.map((channel) => refreshChannel(channel.id)), refreshViews()]);
}

/** Tell whether a channel belongs into this user's sidebar: direct messages only into their owner's. */
export function visible(channel, user = state.me) {
  if (channel.is_im) return channel.user === user;
  return !channel.is_private || channel.members.includes(user);
}

export async function loadWorkspace() {
  const [commands, app] = await Promise.all([api.commands(), api.app(), refreshPeople()]);
  update({ app, commands: state.config.commands?.length ? state.config.commands : commands });
}

function take(event) {
  if (event.type === "channel_changed" || event.type === "user_changed") return [refreshPeople()];
  if (event.type.startsWith("message_")) {
    const channel = state.channels.find((known) => known.id === event.channel);
    if (!channel || !visible(channel)) return [];
    return [refreshChannel(event.channel), event.channel === state.place.id ? refreshThread() : null];
  }
  const shows = /^(view_|home_)/.test(event.type) && event.user === state.me;
  return shows ? [refreshViews()] : [];
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Follow the event stream for as long as the page is open; a simulator that went away is asked again. */
export async function follow() {
  let after = (await api.events(0, 0)).last;
  for (;;) {
    try {
      const { events, last } = await api.events(after, WAIT_S);
      const restarted = last < after;
      after = events.length ? events[events.length - 1].n : last;
      if (!state.online || restarted) await Promise.all([refreshPeople(), loadForUser(), refreshThread()]);
      if (!state.online) update({ online: true });
      await Promise.all(events.flatMap(take));
      if (events.length) touch("activity");
    } catch (error) {
      if (!(error instanceof api.CallFailed)) throw error;
      update({ online: false });
      await pause(RETRY_MS);
    }
  }
}
