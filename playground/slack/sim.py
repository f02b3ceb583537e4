"""The simulator's own door, `/sim/…`: what people do in Slack, done by the page and by test programs.

Every answer is JSON. A refusal is `{"error": NAME, "message": SENTENCE}` with status 400 (the call is wrong), 404 (no such
user, channel, message, view) or 409 (a real client would not let a person do this). `user` and `channel` are an id, or a
handle or channel name. Any loopback origin may call (CORS). Times are ISO 8601 of the playground's clock.

    GET  /sim/users     {"users": [USER…]}
         USER = {"id", "name" (handle), "real_name", "email", "team_id", "groups": [handle…], "is_bot", "is_restricted",
                 "is_ultra_restricted", "is_stranger", "is_external", "deleted"}; the app's own bot user and USLACKBOT are in the list
    GET  /sim/channels  {"channels": [CHANNEL…]}
         CHANNEL = {"id", "name", "topic", "purpose", "members": [user id…], "is_private", "is_im", "user" (of an IM, else null),
                    "is_archived", "is_ext_shared", "last_ts" (newest message or null), "bot_is_member"}
         every sample person has an IM with the app (its "Messages" tab), named as its id
    POST /sim/channels          {"name", "members"?, "is_private"?, "bot"?: bool}   → CHANNEL
    POST /sim/channels/archive · /unarchive   {"channel"}                          → CHANNEL
    POST /sim/channels/invite · /kick         {"channel", "user"}                  → CHANNEL   ("causeway" is the bot)
    POST /sim/users             {"user", flags…}   changes "deleted", "is_restricted", "is_ultra_restricted", "is_stranger" → USER
    GET  /sim/commands  {"commands": [{"command", "description", "usage_hint"}…]}   as registered; empty: any word is sent
    GET  /sim/app       {"app_id", "bot_id", "bot_user", "name", "team_id", "team", "socket_mode", "connections"}

    POST /sim/commands  {"user", "channel", "command", "text"?}  → DELIVERED and "after": number of the event stream before sending
         DELIVERED = {"status": 200 | null, "ack_ms": float, "body": JSON value, text or "" , "error": null | NAME}
         status null: no answer (error "operation_timeout" after 3 s, "dispatch_failed" when no bot could be reached). What Slack shows then
         is an ephemeral message of USLACKBOT
    POST /sim/messages  {"user", "channel", "text", "thread_ts"?} → {"ts", "channel", "after"}
    GET  /sim/messages  ?channel [&thread_ts] [&user] [&limit] [&before]  → {"messages": [MESSAGE…]}, oldest first
         without thread_ts: the channel's own messages (no replies); with it: the root and its replies
         MESSAGE = {"type": "message", "ts", "channel", "user", "bot_id" | null, "username" | null, "text", "blocks": […], "attachments": […],
                    "metadata": {"event_type", "event_payload"} | null, "files": [FILE…], "thread_ts" | null, "edited": {"user", "ts"} | null,
                    "reactions": [{"name", "count", "users"}…], "ephemeral_to": user id | null, "reply_count": int, "latest_reply": ts | null,
                    "subtype" | null, "deleted": false}
         FILE = {"id", "name", "title", "mimetype", "filetype", "size", "url_private"}; its bytes at GET /sim/files/ID
    POST /sim/messages/delete   {"user", "channel", "ts"}  → {}     a person removes an own message
    POST /sim/reactions         {"user", "channel", "ts", "name", "remove"?} → {}

    GET  /sim/views     ?user → {"modals": [VIEW…] (top last), "home": VIEW | null}
         VIEW = Slack's view object (id, hash, type, callback_id, title, submit, close, blocks, private_metadata, root_view_id, previous_view_id,
                notify_on_close, clear_on_close, external_id, state: {"values": {…}}) and
                "errors": {block_id: text} as the bot answered last, "notice": text | null (Slack's "trouble connecting")
         `state.values` holds what the elements show now: initial values and what the user has entered so far
    POST /sim/views/submit  {"user", "view_id", "values": {block_id: {action_id: VALUE}}}  → DELIVERED
         VALUE by element type: text, number, option value, list of option values (multi selects, checkboxes), date "2026-11-23", time "09:30",
         datetime in epoch seconds, user or channel id, handle or name, list of them; file_input: list of {"name", "content"};
         null empties. Left out: what the element shows stays. 409 {"error": "invalid_values", "message", "errors": {block_id: text}} is
         what a real client refuses by itself (nothing is sent)
    POST /sim/views/close   {"user", "view_id"}   → {}      (view_closed is sent where notify_on_close is set; the root closes all)
    POST /sim/actions   {"user", "channel" and "message_ts" or "view_id", "block_id"?, "action_id", "value"?, "values"?} → DELIVERED
         value: of a button with that action_id the one to click where several have it; else the VALUE chosen. `values` as in submit: what the user
         had typed in the view by then. 409 "not_clickable" when the element is not there (any more)
    GET  /sim/options   ?user & (view_id | channel & message_ts) & action_id [&block_id] & query
         → {"status", "ack_ms", "error", "options": [{"text", "value", "description"?}…], "option_groups": [{"label", "options"}…] | null}
         with Slack's own option objects; groups are also flattened into options
    POST /sim/home      {"user"} → {"after"}      sends app_home_opened; home_published follows on the stream
    POST /sim/redeliver {"last": N} → {"deliveries": [DELIVERED and "kind"…]}
    POST /sim/faults    {"method" ("*" any, "response_url"), "times"? 1, "skip"? 0, "error"? | "status"?, "retry_after"? | "delay_ms"? |
                         "drop"?: "before" | "after" | "truncate"?: true} → {"faults": [FAULT…]}; GET lists; DELETE clears
    POST /sim/socket/disconnect {"reason"?: "refresh_requested" | "warning" | "link_disabled"} → {"connections": int}

    GET  /sim/events    ?after=N [&timeout_s=25] [&limit] → {"events": [EVENT…], "last": N of the newest event there is}
         returns at once when there are events after N, else waits for the next one; empty after timeout_s (0: never wait)
    GET  /sim/stream    ?after=N (or the Last-Event-ID header)   the same as server-sent events: `id: N`, `data: EVENT`; without `after` from now on
         EVENT = {"n", "at", "type", …}
         message_posted · message_changed        "channel", "ts", "message": MESSAGE
         message_deleted                         "channel", "ts", "ephemeral_to"
         view_opened · view_pushed · view_updated "user", "view_id", "view": VIEW
         view_closed                             "user", "view_id"
         home_published                          "user", "view_id", "view": VIEW
         channel_changed                         "channel": CHANNEL          (created, archived, joined, left)
         user_changed                            "user": USER
         delivered                               "kind", "user" | null, "status", "ack_ms", "error"
    GET  /sim/log       [?since=N] [&limit] → {"entries": [ENTRY…], "last": N}, entries with a number above N
         ENTRY = {"n", "at", "kind": "call" | "delivery" | "response_url", "name" (method, or command | block_actions | view_submission | view_closed |
                  block_suggestion | event type), "arguments": {…}, "result": {…}, "status", "ms", "violations": [sentence…], "fault": null | {…}}
"""
