// A small app on Slack's own SDK. It does one of everything, so that the simulator is held against Slack's code.
// Environment: SLACK_URL, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, SOCKET_MODE (1 or empty). Prints one JSON line when ready.
const { App, LogLevel } = require("@slack/bolt");

const socketMode = process.env.SOCKET_MODE === "1";
const app = new App({
  token: process.env.BOT_TOKEN,
  clientOptions: { slackApiUrl: `${process.env.SLACK_URL}/api/` },
  logLevel: LogLevel.ERROR,
  ...(socketMode
    ? { socketMode: true, appToken: process.env.APP_TOKEN }
    : { signingSecret: process.env.SIGNING_SECRET }),
});

const plain = (text) => ({ type: "plain_text", text });
const form = {
  type: "modal",
  callback_id: "form",
  notify_on_close: true,
  title: plain("New service"),
  submit: plain("Create"),
  blocks: [
    {
      type: "input",
      block_id: "name",
      label: plain("Name"),
      element: { type: "plain_text_input", action_id: "name" },
    },
    {
      type: "input",
      block_id: "service",
      label: plain("Service"),
      optional: true,
      element: { type: "external_select", action_id: "service", min_query_length: 0 },
    },
    {
      type: "actions",
      block_id: "more",
      elements: [{ type: "button", action_id: "push", text: plain("More"), value: "id-1" }],
    },
  ],
};

app.command("/form", async ({ command, ack, client }) => {
  await ack();
  await client.views.open({ trigger_id: command.trigger_id, view: form });
});
app.command("/say", async ({ command, ack, respond }) => {
  await ack(`heard ${command.text}`);
  await respond({ response_type: "in_channel", text: `said ${command.text}` });
});
app.action("push", async ({ ack, body, client }) => {
  await ack();
  await client.views.push({ trigger_id: body.trigger_id, view: { ...form, callback_id: "second" } });
});
app.action("approve", async ({ ack, action, body, respond }) => {
  await ack();
  await respond({ replace_original: true, text: `approved ${action.value} by ${body.user.id}` });
});
app.options("service", async ({ options, ack }) => {
  await ack({ options: [{ text: plain(`Service ${options.value}`), value: options.value || "all" }] });
});
app.view("form", async ({ ack, view, client }) => {
  const name = view.state.values.name.name.value;
  if (name === "taken") {
    await ack({ response_action: "errors", errors: { name: "is taken" } });
    return;
  }
  await ack();
  await client.chat.postMessage({
    channel: "C0TEAMORDER",
    text: `created ${name}`,
    metadata: { event_type: "echo_created", event_payload: { name } },
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `*${name}*` } },
      {
        type: "actions",
        block_id: "decide",
        elements: [{ type: "button", action_id: "approve", text: plain("Approve"), value: "op-1" }],
      },
    ],
  });
});
app.view({ callback_id: "form", type: "view_closed" }, async ({ ack, body, client }) => {
  await ack();
  await client.chat.postEphemeral({ channel: "C0TEAMORDER", user: body.user.id, text: "closed" });
});
app.event("app_home_opened", async ({ event, client }) => {
  const blocks = [{ type: "header", text: plain("Portal") }];
  await client.views.publish({ user_id: event.user, view: { type: "home", blocks } });
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: `yes, <@${event.user}>?`, thread_ts: event.ts });
});

(async () => {
  const started = await app.start(socketMode ? undefined : { port: 0, host: "127.0.0.1" });
  const port = socketMode ? null : started.address().port;
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  process.stdin.on("end", () => process.exit(0)).resume(); // ends with the test that started it
})();
