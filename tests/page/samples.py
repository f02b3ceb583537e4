"""Messages and forms as Causeway sends them, for the tests of the page."""

from __future__ import annotations

from tests.page.slack_fake import HANDLES, FakeSlack, Json, mrkdwn, text

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
"""Text that would run if anything in the page read it as HTML."""


def option(value: str, words: str | None = None, description: str | None = None) -> Json:
    found: Json = {"value": value, "text": text(words or value)}
    return found | ({"description": text(description)} if description else {})


def button(action_id: str, words: str, **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": text(words), "value": f"{action_id}-id", **more}


def card(state: str = "Waiting for approval", *, done: bool = False) -> list[Json]:
    """A card of an operation, before or after its approval."""
    steps = ("Repository", "Commit of 31 files", "Branch rules", "Catalog entry", "Argo CD application")
    ticked = "\n".join(f":{'white_check_mark' if done else 'white_circle'}: {step}" for step in steps)
    asked = f"<@{HANDLES['author']}>"
    blocks: list[Json] = [
        {"type": "header", "block_id": "head", "text": text("Create service user-api")},
        {
            "type": "section",
            "block_id": "facts",
            "fields": [
                mrkdwn(f"*State*\n{state}"),
                mrkdwn(f"*Asked by*\n{asked}"),
                mrkdwn("*Owner*\nteam-orders"),
                mrkdwn("*Template*\n`python-service`"),
            ],
        },
        {"type": "section", "block_id": "steps", "text": mrkdwn(ticked)},
        {
            "type": "context",
            "block_id": "foot",
            "elements": [mrkdwn("Digest `4f1c9a` · <https://example.test/acme/user-api|acme/user-api>")],
        },
    ]
    if not done:
        reject = {
            "title": text("Reject this?"),
            "text": mrkdwn("Nothing will be created."),
            "confirm": text("Reject"),
            "deny": text("Back"),
        }
        blocks.append(
            {
                "type": "actions",
                "block_id": "decide",
                "elements": [
                    button("approve", "Approve", style="primary"),
                    button("reject", "Reject", style="danger", confirm=reject | {"style": "danger"}),
                ],
            }
        )
    return blocks


def field(name: str, label: str, element: Json, **more: object) -> Json:
    return {"type": "input", "block_id": name, "label": text(label), "element": {"action_id": name, **element}, **more}


def service_form() -> list[Json]:
    """The form of `/service create`."""
    return [
        field(
            "name",
            "Name",
            {"type": "plain_text_input", "placeholder": text("user-api"), "max_length": 63},
            hint=text("Lower case letters, digits and dashes."),
        ),
        field(
            "owner", "Owner", {"type": "external_select", "min_query_length": 0, "placeholder": text("Choose a team")}
        ),
        field(
            "language",
            "Language",
            {"type": "static_select", "options": [option("python", "Python"), option("node", "Node.js")]},
        ),
        field("description", "Description", {"type": "plain_text_input", "multiline": True}, optional=True),
    ]


def every_input() -> list[Json]:
    """One input block of each element type."""
    sizes = [option("small", "Small", "1 CPU, 1 GiB"), option("large", "Large", "4 CPU, 8 GiB")]
    return [
        field("number", "Replicas", {"type": "number_input", "is_decimal_allowed": False, "initial_value": "2"}),
        field("mail", "Contact", {"type": "email_text_input"}, optional=True),
        field("link", "Runbook", {"type": "url_text_input"}, optional=True),
        field("size", "Size", {"type": "radio_buttons", "options": sizes, "initial_option": sizes[0]}),
        field(
            "addons",
            "Add-ons",
            {"type": "checkboxes", "options": [option("db", "Database"), option("cache", "Cache")]},
            optional=True,
        ),
        field("zones", "Zones", {"type": "multi_static_select", "options": [option("a"), option("b"), option("c")]}),
        field("needs", "Depends on", {"type": "multi_external_select", "min_query_length": 1}, optional=True),
        field("reviewer", "Reviewer", {"type": "users_select"}),
        field("crew", "Crew", {"type": "multi_users_select"}, optional=True),
        field("channel", "Channel", {"type": "channels_select"}),
        field("talk", "Conversation", {"type": "conversations_select"}, optional=True),
        field("from", "From", {"type": "datepicker", "initial_date": "2026-12-01"}),
        field("at", "At", {"type": "timepicker", "initial_time": "09:30"}),
        field("until", "Until", {"type": "datetimepicker", "initial_date_time": 1_796_000_000}, optional=True),
    ]


def fill(slack: FakeSlack) -> None:
    """A lived-in workspace, to look at."""
    slack.post("general", "Morning everyone :wave:", user=HANDLES["stranger"])
    slack.post(
        "team-orders",
        "Is anybody starting the *user API* today? See <https://example.test|the plan> and `docs/adr`.",
        user=HANDLES["teammate"],
    )
    slack.post(
        "team-orders",
        "Yes, I will ask the bot right now. <@U0APPROVER1>, could you approve it?\n> what do we call it?\n"
        "`user-api`, I would say.\n• owner: team-orders\n• template: python-service",
        user=HANDLES["author"],
    )
    ts = slack.post("team-orders", "Create service user-api: waiting for approval", blocks=card())
    slack.post("team-orders", "What this will create: 31 files, 2 rules.", thread_ts=ts)
    slack.post("team-orders", "Looks right to me :eyes:", user=HANDLES["teammate"], thread_ts=ts)
    file = {
        "id": "F1",
        "name": "platform.yaml",
        "title": "platform.yaml",
        "mimetype": "text/yaml",
        "filetype": "yaml",
        "size": 212,
    }
    slack.files["F1"] = "apiVersion: platform.company.io/v1\nkind: WebService\nmetadata:\n  name: user-api\n"
    slack.post("team-orders", "The document that would be committed:", files=[file], thread_ts=ts)
    slack.post(
        "team-orders",
        "You can see this card because you asked for it. Only `approver` can press the button.",
        ephemeral_to=HANDLES["author"],
    )
    slack.edit(
        "team-orders",
        slack.messages["C0TEAMORDER"][0]["ts"],
        reactions=[{"name": "+1", "count": 2, "users": [HANDLES["author"], HANDLES["approver"]]}],
        edited={"user": HANDLES["teammate"], "ts": "1795500000.0"},
    )
