// Slack's own Web API client against the simulator: each call must succeed, or fail by the name that is expected.
// Environment: SLACK_URL, BOT_TOKEN. Prints one JSON object with what was seen.
const { WebClient } = require("@slack/web-api");

const options = { slackApiUrl: `${process.env.SLACK_URL}/api/`, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
const client = new WebClient(process.env.BOT_TOKEN, options);
const channel = "C0TEAMORDER";
const refused = (call) => call.then(() => null, (error) => error.data?.error ?? error.code);

(async () => {
  const seen = {};
  seen.bot = (await client.auth.test()).bot_id;
  seen.people = [];
  for await (const page of client.paginate("users.list", { limit: 3 })) seen.people.push(...page.members.map((m) => m.id));
  seen.email = (await client.users.info({ user: "U0AUTHOR01" })).user.profile.email;
  seen.found = (await client.users.lookupByEmail({ email: "author@acme.example" })).user.id;
  seen.channels = (await client.conversations.list({ types: "public_channel" })).channels.map((c) => c.name);
  const posted = await client.chat.postMessage({ channel, text: "hello", metadata: { event_type: "x", event_payload: { a: 1 } } });
  await client.chat.update({ channel, ts: posted.ts, text: "changed" });
  await client.chat.postMessage({ channel, text: "reply", thread_ts: posted.ts });
  await client.reactions.add({ channel, timestamp: posted.ts, name: "eyes" });
  const history = await client.conversations.history({ channel, include_all_metadata: true });
  seen.history = history.messages.map((m) => [m.text, m.metadata?.event_payload?.a ?? null, m.reply_count ?? 0]);
  seen.replies = (await client.conversations.replies({ channel, ts: posted.ts })).messages.map((m) => m.text);
  const upload = await client.filesUploadV2({ channel_id: channel, filename: "plan.txt", content: "a plan", title: "Plan" });
  seen.file = upload.files[0].files[0].title;
  seen.permalink = (await client.chat.getPermalink({ channel, message_ts: posted.ts })).permalink.includes(channel);
  seen.refusals = [
    await refused(client.chat.postMessage({ channel: "C0NOWHERE", text: "x" })),
    await refused(client.chat.postMessage({ channel, text: "x", blocks: [{ type: "nonsense" }] })),
    await refused(client.views.open({ trigger_id: "1.2.3", view: { type: "modal", title: { type: "plain_text", text: "x" }, blocks: [] } })),
    await refused(new WebClient("xoxb-nobody", options).auth.test()),
  ];
  const burst = [];
  for (let i = 0; i < 12; i += 1) burst.push(await refused(client.chat.postMessage({ channel: "C0PLATFORM1", text: "x" })));
  seen.limited = burst.filter((error) => error === "slack_webapi_rate_limited_error").length > 0;
  process.stdout.write(JSON.stringify(seen));
})();
