/** Select menus of Block Kit, drawn with the combobox. */

import { Combobox, matching } from "./combobox.js";
import { withEmoji } from "./emoji.js";
import { userName } from "./names.js";
import { state } from "./store.js";

const KIND = /^(multi_)?(static|external|users|conversations|channels)_select$/;

const plain = (option) => ({
  value: option.value, text: withEmoji(option.text?.text ?? option.value ?? ""), description: option.description && withEmoji(option.description.text ?? ""),
});

/** Return options or option groups, Slack's two shapes, as the combobox's groups. */
function groupsOf(source) {
  if (source?.option_groups?.length) return source.option_groups.map((group) => ({ label: group.label?.text, options: (group.options ?? []).map(plain) }));
  return [{ options: (source?.options ?? []).map(plain) }];
}

const users = () => [{ options: [...state.users.values()].filter((user) => !user.deleted && user.id !== "USLACKBOT").map((user) => ({ value: user.id, text: userName(user.id), description: `@${user.name}` })) }];
const channels = () => [{ options: state.channels.filter((channel) => !channel.is_im && !channel.is_archived).map((channel) => ({ value: channel.id, text: `#${channel.name}` })) }];

const SOURCES = { users, channels, conversations: () => [...channels(), ...users()] };

/** Return the options that an element begins with, whatever Slack calls them for its kind. */
function initial(element, kind) {
  const one = { static: element.initial_option, external: element.initial_option, users: element.initial_user, channels: element.initial_channel, conversations: element.initial_conversation }[kind];
  const many = { static: element.initial_options, external: element.initial_options, users: element.initial_users, channels: element.initial_channels, conversations: element.initial_conversations }[kind];
  const found = many ?? (one ? [one] : []);
  return SOURCES[kind] ? found.flatMap((value) => SOURCES[kind]().flatMap((group) => group.options).filter((option) => option.value === value)) : found.map(plain);
}

/** Return what the app offered; raise when it did not answer. */
async function offered(asked) {
  const answer = await asked;
  if (answer.error || answer.status !== 200) throw new Error("the app did not answer in time.");
  return answer;
}

export function isSelect(type) {
  return KIND.test(type);
}

/** Return a select menu; `say(value)` hears plain values: one option's, or a list of them. */
export function select(element, { context, block, label, say, labelledby, id, clearable }) {
  const [, multi, kind] = KIND.exec(element.type);
  const external = kind === "external";
  const load = external
    ? async (query) => groupsOf(await offered(context.options({ block_id: block.block_id, action_id: element.action_id, query })))
    : async (query) => matching(SOURCES[kind] ? SOURCES[kind]() : groupsOf(element), query);
  const kept = context.kept(block.block_id, element.action_id);
  const box = new Combobox({
    label, labelledby, id, clearable: clearable && !multi, load, multiple: Boolean(multi), most: element.max_selected_items ?? Infinity,
    minimum: external ? (element.min_query_length ?? 3) : 0,
    placeholder: element.placeholder?.text ?? (multi ? "Select options" : "Select an option"),
    chosen: kept?.chosen ?? initial(element, kind),
    change: (chosen) => say(multi ? chosen.map((option) => option.value) : (chosen[0]?.value ?? null), chosen),
  });
  return box.node;
}
