/** Every call the page makes: to its own origin and to the Slack simulator. */

import { state } from "./store.js";

/** A call that was refused; `message` is a sentence for the person, `errors` its sentences by block_id. */
export class CallFailed extends Error {
  constructor(sentence, status = 0, errors = {}) {
    super(sentence);
    this.status = status;
    this.errors = errors;
  }
}

async function read(response, asText) {
  const text = await response.text();
  if (asText) return text;
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return text;
  }
}

function sentenceOf(body, status) {
  const said = typeof body === "string" ? body : (body?.message ?? body?.error);
  return said ? String(said) : `the answer was ${status}`;
}

async function call(base, path, { query, body, signal, asText } = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const init = body === undefined ? { signal } : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallFailed("The playground does not answer. Is it still running?");
  }
  const answer = await read(response, asText && response.ok);
  if (!response.ok) throw new CallFailed(sentenceOf(answer, response.status), response.status, answer?.errors);
  return answer;
}

const own = (path, options) => call(location.origin, path, options);
const slack = (path, options) => call(state.config.slack, path, options);

export const config = () => own("/config.json");
export const clock = () => own("/sim/clock");
export const advance = (step) => own("/sim/clock", { body: { advance: step } });

export const users = async () => (await slack("/sim/users")).users;
export const channels = async () => (await slack("/sim/channels")).channels;
export const commands = async () => (await slack("/sim/commands")).commands;
export const app = () => slack("/sim/app");
export const messages = async (query) => (await slack("/sim/messages", { query })).messages;
export const views = (user) => slack("/sim/views", { query: { user } });
export const options = (query) => slack("/sim/options", { query });
export const log = (since) => slack("/sim/log", { query: { since } });
export const events = (after, seconds, signal) => slack("/sim/events", { query: { after, timeout_s: seconds }, signal });

export const sendCommand = (body) => slack("/sim/commands", { body });
export const sendMessage = (body) => slack("/sim/messages", { body });
export const act = (body) => slack("/sim/actions", { body });
export const submitView = (body) => slack("/sim/views/submit", { body });
export const closeView = (body) => slack("/sim/views/close", { body });
export const openHome = (user) => slack("/sim/home", { body: { user } });
export const react = (body) => slack("/sim/reactions", { body });

/** Return a file's address in the simulator, and its text. */
export const fileUrl = (file) => new URL(`/sim/files/${encodeURIComponent(file.id)}`, state.config.slack).href;
export const fileText = (file) => slack(`/sim/files/${encodeURIComponent(file.id)}`, { asText: true });
