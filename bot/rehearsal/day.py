"""The day: what a team does between its first coffee and the report of the night, each step with what it promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.rehearsal.promise import promise
from bot.rehearsal.town import Json, Town, buttons, event_of, payload_of, spoken

TEAM = "team-orders"
ORGANISATION = "acme"
KNOWN = "orders-api"
"""A sample service of that team, which another team's service depends on."""
DEPENDENT = "checkout-web"
SECRETS = ("xoxb-", "ghp_", "postgresql://")
"""What no message may hold."""


@dataclass
class Day:
    """What the steps know of one another."""

    town: Town
    name: str
    """Of the new service, and of the preview."""
    notes: list[str] = field(default_factory=list)
    """What a step has to say beside that it was done."""
    cards: dict[str, Json] = field(default_factory=dict)
    place: str = f"author/{TEAM}"
    """Where the step is best looked at, as the page's addresses say it: person, channel, and perhaps a thread."""

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    async def deployment(self, environment: str, service: str = "") -> Json:
        service = service or self.name
        path = f"/apis/apps/v1/namespaces/{service}-{environment}/deployments/{service}"
        return await self.town.cluster(path)

    async def image(self, environment: str, service: str) -> str:
        found = await self.deployment(environment, service)
        containers = found.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [{}])
        return str(containers[0].get("image", ""))

    async def done(self, command: str, *, says: str = "") -> Json:
        """Wait for the command's card to succeed, approved by the lead where that is asked for; remember it."""
        known = frozenset(self.cards)
        card = await self.town.card(command, "awaiting_approval", "succeeded", says=says, but=known)
        operation = str(payload_of(card)["operation"])
        if payload_of(card)["state"] == "awaiting_approval":
            await self.town.clicks("approver", card, "approve")
            card = await self.town.card(command, "succeeded", says=says, but=known)
            promise(payload_of(card)["operation"] == operation, "the approved operation is the one that runs")
        self.cards[operation] = card
        return card


Act = Callable[[Day], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    title: str
    act: Act


async def create(day: Day) -> None:
    """A new service: repository, CI, manifests, catalog entry, Argo CD application, first deploy."""
    await day.town.types("author", "/service create python-service")
    await day.town.fills_in("author", "service.create", {"name": day.name, "owner": f"group:default/{TEAM}"})
    card = await day.done("service.create", says=day.name)
    files = await day.town.cloned(f"{ORGANISATION}/{day.name}")
    for file in ("platform.yaml", "catalog-info.yaml", "Dockerfile"):
        promise(file in files, f"the new repository holds {file}", seen=sorted(files))
    running = await day.deployment("staging")
    promise(running.get("status", {}).get("availableReplicas", 0) >= 1, "the new service runs", seen=running)
    application = await day.town.cluster(
        f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{day.name}-staging"
    )
    health = application.get("status", {}).get("health", {}).get("status")
    promise(health == "Healthy", "Argo CD says that it is healthy", seen=health)
    promise(f"{day.name}.staging" in spoken(card), "the card says where it answers", seen=spoken(card))
    day.note(f"{len(files)} files in {ORGANISATION}/{day.name}, running in staging")


async def database(day: Day) -> None:
    """A database: its cost first, ready on the card, its password nowhere."""
    await day.town.types("author", f"/database request {day.name} small in staging")
    card = await day.done("database.request", says=day.name)
    namespace = f"{day.name}-staging"
    path = f"/apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters/{day.name}-db"
    found = await day.town.cluster(path)
    promise(found.get("status", {}).get("readyInstances", 0) >= 1, "the database is ready", seen=found.get("status"))
    promise("a month" in spoken(card), "the card tells what it costs", seen=spoken(card))
    await no_secret_was_said(day)
    day.note(f"{day.name}-db is ready, bound by a reference to its secret")


async def preview(day: Day) -> None:
    """A preview for a few days."""
    await day.town.types("author", f"/preview up {day.name} {KNOWN}")
    card = await day.done("preview.up", says=day.name)
    namespace = await day.town.cluster(f"/api/v1/namespaces/{day.name}")
    labels = namespace.get("metadata", {}).get("labels", {})
    promise(labels.get("causeway.io/preview") == day.name, "the preview has a namespace of its own", seen=labels)
    promise({"extend", "sleep", "delete"} <= buttons(card), "the card can extend, sleep and delete", seen=buttons(card))
    day.note(f"preview {day.name} stands")


async def production(day: Day) -> None:
    """A known service, from its main branch to production with a second person's approval."""
    if not await day.deployment("staging", KNOWN):
        await day.town.types("author", f"/service deploy {KNOWN}")
        await day.done("service.deploy", says=KNOWN)
    await day.town.types("author", f"/service promote {KNOWN}")
    await day.done("service.promote", says=KNOWN)
    same = await day.image("staging", KNOWN) == await day.image("production", KNOWN)
    promise(same, "production runs what staging runs")
    await day.town.advances("2h")  # a good while goes by before anything is changed there again


async def regression(day: Day) -> None:
    """A change that is slow in production, as the changes before it, all the way by the book."""
    before = await day.image("production", KNOWN)

    def change(document: Json) -> None:
        document["spec"].setdefault("env", {})["CACHE_SECONDS"] = "0"

    commit = await day.town.changes(f"{ORGANISATION}/{KNOWN}", f"Cache nothing in {day.name}", change)
    await day.done("service.deploy", says=commit[:7])
    await day.town.types("author", f"/service promote {KNOWN}")
    await day.done("service.promote", says=commit[:7])
    now = await day.image("production", KNOWN)
    promise(now != before and now.endswith(commit), "the change runs in production", seen=now)
    day.note(f"{commit[:7]} is in production")


async def incident(day: Day) -> None:
    """The change makes requests slow: one alert card, in the channel of the team that owns the service."""
    await day.town.advances("20m")
    await day.town.goes_wrong(KNOWN, "latency")
    await day.town.advances("30m")
    card = await day.town.alert(KNOWN, "firing")
    firing = [one for one in await alerts(day, TEAM) if payload_of(one).get("state") == "firing"]
    promise(len(firing) == 1, "there is exactly one alert card in the team's channel", seen=[spoken(m) for m in firing])
    wanted = {"acknowledge", "silence", "why", "rollback"}
    promise(wanted <= buttons(card), "the alert can be acknowledged, silenced, asked about and rolled back", seen=card)
    elsewhere = [one for one in await alerts(day, "team-checkout") if payload_of(one).get("service") == KNOWN]
    promise(not elsewhere, "no other team is told of it as theirs", seen=[spoken(m) for m in elsewhere])
    day.note(spoken(card).splitlines()[0][:110])


async def why(day: Day) -> None:
    """Why: the deploy that caused it, with a picture and a trace, in the alert's thread."""
    card = await day.town.alert(KNOWN, "firing")
    day.place = f"author/{TEAM}/{card['ts']}"
    await day.town.clicks("author", card, "acknowledge")
    await day.town.clicks("author", card, "why")
    commit = (await day.image("production", KNOWN)).rpartition(":")[2][:7]
    # What is told first may still wait for a system, and is then edited.
    told = spoken(await day.town.in_thread(card, "Where a request loses its time"))
    promise(commit in told, "the answer names the version that caused it", seen=told)
    promise("spent" in told, "the answer shows where a request of that time was slow", seen=told)
    await day.town.picture_in_thread(card)
    await day.town.types("stranger", f"/health {DEPENDENT} production", "team-checkout")
    seen = await day.town.told("stranger", KNOWN, "team-checkout")
    day.note(told.splitlines()[0][:110])
    day.note(f"{DEPENDENT} blames it too: {spoken(seen).splitlines()[0][:90]}")


async def roll_back(day: Day) -> None:
    """Back to the version before, by a pin, from the alert's card; the alert resolves by itself."""
    day.place = f"author/{TEAM}"
    bad = await day.image("production", KNOWN)
    card = await day.town.alert(KNOWN, "firing")
    await day.town.clicks("author", card, "rollback")
    await day.done("service.rollback", says=KNOWN)
    promise(await day.image("production", KNOWN) != bad, "production runs the version before")
    release = await day.town.file(f"{ORGANISATION}/gitops", f"apps/{KNOWN}/production/.causeway/release.yaml")
    promise(bool(release and release.get("pin")), "Git holds the pin, with its reason", seen=release)
    running = (await day.town.incidents())["running"]
    promise(not running, "the incident has ended with the version that had it", seen=running)
    await day.town.advances("2h")
    resolved = await day.town.alert(KNOWN, "resolved")
    promise(resolved["ts"] == card["ts"], "the same card tells that it is over", seen=spoken(resolved))
    day.note(spoken(resolved).splitlines()[0][:110])


async def fix(day: Day) -> None:
    """The fix goes the same road, and the pin lets go by itself."""

    def change(document: Json) -> None:
        document["spec"]["env"]["CACHE_SECONDS"] = "60"

    commit = await day.town.changes(f"{ORGANISATION}/{KNOWN}", f"Cache again in {day.name}", change)
    await day.done("service.deploy", says=commit[:7])
    await day.town.types("author", f"/service promote {KNOWN}")
    await day.done("service.promote", says=commit[:7])
    promise((await day.image("production", KNOWN)).endswith(commit), "the fix runs in production")
    release = await day.town.file(f"{ORGANISATION}/gitops", f"apps/{KNOWN}/production/.causeway/release.yaml")
    promise(not release.get("pin"), "the pin has let go", seen=release)


async def expiry(day: Day) -> None:
    """The preview's time is over: it goes, and the receipt says how that was seen."""
    await day.town.advances("8d")
    card = await day.done("preview.down", says=day.name)
    namespace = await day.town.cluster(f"/api/v1/namespaces/{day.name}")
    promise(not namespace, "the preview's namespace is gone", seen=namespace)
    left = await day.town.cluster(f"/apis/apps/v1/deployments?labelSelector=causeway.io/environment%3D{day.name}")
    promise(not left.get("items"), "nothing of it runs", seen=left.get("items"))
    promise("gone" in spoken(card).lower(), "the receipt proves it", seen=spoken(card))


async def report(day: Day) -> None:
    """The night's sweep finds nothing left over, the board of the team is healthy, and no secret was said."""
    day.place = f"author/{TEAM}"
    await day.town.types("platform", "/idp sweep", "platform")
    await day.town.told("platform", "The sweep found nothing that should not be there", "platform")
    await day.town.types("author", "/health team")
    board = await day.town.told("author", KNOWN)
    promise("Down" not in spoken(board), "nothing of the team is down", seen=spoken(board))
    await no_secret_was_said(day)


async def alerts(day: Day, channel: str) -> list[Json]:
    return [one for one in await day.town.messages(channel) if event_of(one) == "causeway_alert"]


async def no_secret_was_said(day: Day) -> None:
    """Every secret of the playground's settings, and whatever looks like one, is in no message."""
    kept = [value for name, value in day.town.ready["env"].items() if "TOKEN" in name or "SECRET" in name]
    for channel in (TEAM, "team-checkout", "platform", "general"):
        for message in await day.town.messages(channel):
            said = str(message)
            leaked = [one[:6] for one in (*kept, *SECRETS) if one in said]
            promise(not leaked, f"no message in #{channel} holds a secret", seen=leaked)


STEPS = (
    Step("Create a service", create),
    Step("Request a database", database),
    Step("Spin up a preview", preview),
    Step("Bring a service to production", production),
    Step("Ship a change that turns out slow", regression),
    Step("An incident, and one alert", incident),
    Step("Ask why", why),
    Step("Roll back from the alert", roll_back),
    Step("Ship the fix", fix),
    Step("Let the preview end", expiry),
    Step("Read the report", report),
)
