/** What a message, a modal and App Home hand to the blocks drawn on them. */

import * as api from "./api.js";
import { state } from "./store.js";
import { tell } from "./toast.js";

/** Say what went wrong with an action, as a client does beside the button. */
function judge(answer) {
  if (answer.status === 200) return;
  tell(answer.error === "operation_timeout" ? "The app did not respond in time. Try again." : `That did not work: the app ${answer.status ? `answered ${answer.status}` : "could not be reached"}.`);
}

async function act(body) {
  try {
    judge(await api.act(body));
  } catch (error) {
    tell(error.message);
  }
}

/** Return a store of what the person has entered on one surface. */
function drafts() {
  const values = new Map();
  return {
    kept: (block, action) => values.get(`${block}\n${action}`),
    keep: (block, action, value, chosen) => values.set(`${block}\n${action}`, { block, action, value, chosen }),
    /** Return {block_id: {action_id: value}} of the blocks that are still there. */
    values(list) {
      const there = new Set(list.map((block) => block.block_id));
      const result = {};
      for (const { block, action, value } of values.values()) if (there.has(block)) (result[block] ??= {})[action] = value;
      return result;
    },
  };
}

const messageDrafts = new Map();

export function messageContext(message) {
  const key = `${state.me}/${message.channel}/${message.ts}`;
  if (!messageDrafts.has(key)) messageDrafts.set(key, drafts());
  const where = { user: state.me, channel: message.channel, message_ts: message.ts };
  return {
    ...messageDrafts.get(key),
    act: (block, item, value) => act({ ...where, block_id: block.block_id, action_id: item.action_id, value }),
    options: (asked) => api.options({ ...where, ...asked }),
  };
}

/** Turn Slack's state of an element into what the page keeps: a plain value and, for menus, the options chosen. */
function fromState(held) {
  if (!held) return undefined;
  const options = held.selected_options ?? (held.selected_option ? [held.selected_option] : null);
  const chosen = options?.map((option) => ({ value: option.value, text: option.text?.text ?? option.value }));
  if (held.selected_options) return { value: chosen.map((option) => option.value), chosen };
  if (held.selected_option) return { value: chosen[0].value, chosen };
  const value = held.value ?? held.selected_date ?? held.selected_time ?? held.selected_date_time;
  return value === undefined || value === null ? undefined : { value };
}

/** Return the context of a view. `view()` is the view as it stands now: its blocks may have changed since. */
export function viewContext(view) {
  const own = drafts();
  const where = () => ({ user: state.me, view_id: view().id });
  return {
    keep: own.keep,
    kept: (block, action) => own.kept(block, action) ?? fromState(view().state?.values?.[block]?.[action]),
    entered: () => own.values(view().blocks),
    act: (block, item, value) => act({ ...where(), block_id: block.block_id, action_id: item.action_id, value, values: own.values(view().blocks) }),
    options: (asked) => api.options({ ...where(), ...asked }),
  };
}
