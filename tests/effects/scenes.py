"""What the tests of effects share: a run, ports of fakes, and every kind of effect in a world where it can happen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.effects import (
    AdmitVisitor,
    ApplyObjects,
    AwaitBuild,
    AwaitHealthy,
    AwaitOneOfBuilds,
    CancelAppointment,
    CommitFiles,
    ConcludeDeployment,
    CreateRepository,
    CreateWebhook,
    EndDeployments,
    EndInBook,
    EnterBook,
    FileBody,
    FinishRepository,
    GrantTeam,
    JoinProject,
    LiftProtection,
    LivingComment,
    MakeAppointment,
    OpenPullRequest,
    ProtectBranch,
    RecordDeployment,
    RefreshApplication,
    RegisterInCatalog,
    RetireApplication,
    SetVariables,
    SyncApplication,
)
from bot.effects.comment_text import CommentedService, Told
from bot.errors import UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Run
from bot.model.late import Late, OutputRef
from bot.model.principal import Principal
from bot.ports import Appointment, EnvironmentRecord, File, NewRepository, Object, Ports
from tests.effects import alarms, wishes
from tests.fakes.agenda import FakeAgenda
from tests.fakes.alert_book import FakeAlertBook
from tests.fakes.alerts import FakeAlerts
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.conversations import FakeConversations
from tests.fakes.environments import FakeEnvironments
from tests.fakes.faults import call
from tests.fakes.forge import FakeForge
from tests.fakes.notification_book import FakeNotificationBook

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", email="author@acme.example")
OPERATION = "op_one"
FRESH = "acme/orders"
"""Made by the operation."""
OLD = "acme/gitops"
"""There before it."""
ENVIRONMENT = "staging"
"""Where an earlier deployment of OLD is active."""
CATALOG_FILE = f"https://forge.example/{FRESH}/blob/main/catalog-info.yaml"


NAMESPACE = "orders-staging"
"""There before the operation, with a release of `orders` in it."""
INVENTORY = "orders.staging"


class RehearsedCluster(FakeCluster):
    """Tells dry runs, which change nothing, from writes."""

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        return await (self.rehearse(obj, over) if dry_run else super().apply(obj, over=over))

    @call
    async def rehearse(self, obj: Object, over: Collection[str]) -> Object:
        quiet = FakeCluster(file=self._file)
        quiet._state = self._state
        return await quiet.apply(obj, dry_run=True, over=over)


@dataclass
class World:
    forge: FakeForge = field(default_factory=FakeForge)
    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    cluster: RehearsedCluster = field(default_factory=RehearsedCluster)
    agenda: FakeAgenda = field(default_factory=FakeAgenda)
    book: FakeEnvironments = field(default_factory=FakeEnvironments)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    alert_book: FakeAlertBook = field(default_factory=FakeAlertBook)
    rooms: FakeConversations = field(default_factory=FakeConversations)
    wishes: FakeNotificationBook = field(default_factory=FakeNotificationBook)

    @property
    def ports(self) -> Ports:
        return Ports(
            forge=self.forge,
            catalog=self.catalog,
            clusters={"default": self.cluster},
            agenda=self.agenda,
            environments=self.book,
            alerts=self.alerts,
            alert_book=self.alert_book,
            conversations=self.rooms,
            notification_book=self.wishes,
        )

    def look(self) -> Mapping[str, object]:
        catalog = dict(self.catalog.locations)
        return {
            "forge": self.forge.world(),
            "catalog": catalog,
            "cluster": self.cluster.world(),
            "agenda": self.agenda.appointments,
            "book": self.book.open,
            "silences": [(one.by, one.matchers, one.ends_at) for one in self.alerts.standing],
            "alert": self.alert_book.decided(alarms.GROUP.id),
            "rooms": self.rooms.open,
            "wishes": self.wishes.written,
        }


async def world() -> World:
    """Return a world with one old repository that holds two files and was deployed once."""
    made = World()
    await made.forge.create_repository(NewRepository(OLD, "What runs where"))
    head = await made.forge.branch_head(OLD, "main")
    assert head is not None
    files = [File("apps/old.yaml", b"replicas: 1\n"), File("run.sh", b"#!/bin/sh\n", "100755")]
    await made.forge.commit(OLD, "main", files, "Begin", parent=head.sha)
    await deployed(made.forge)
    await released(made.cluster)
    made.agenda.put(UNPIN)
    made.book.put(LINE)
    made.alert_book.put(alarms.GROUP)
    made.wishes.put(wishes.TEAM, wishes.BEFORE)
    made.forge.calls.clear()
    made.cluster.calls.clear()
    return made


async def released(cluster: FakeCluster) -> None:
    """Let an earlier release stand in the cluster, beside what others have made there."""
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for obj in (*BEFORE, kubernetes("ServiceAccount", "orders")):
        labels: dict[str, JSON] = {"causeway.io/inventory": INVENTORY}
        await cluster.apply({**obj, "metadata": {**as_map(obj["metadata"]), "labels": labels}})
    cluster.put(kubernetes("ConfigMap", "theirs", data={"kept": "yes"}))


async def deployed(forge: FakeForge) -> None:
    """Record a deployment of before, at the same URL as the next one."""
    record = await forge.create_deployment(OLD, "main", ENVIRONMENT, description="Orders 1.0", payload={})
    await forge.set_deployment_state(OLD, record.id, "success", url="https://orders.example")


def built(forge: FakeForge) -> None:
    """Let CI of OLD have passed for BUILT, and its image be there."""
    forge.run_workflow(OLD, BUILT)
    forge.publish_image(OLD, BUILT)


def run(effect: Effect, attempt: int = 1, operation: str = OPERATION) -> Run:
    return Run(operation=operation, effect=effect.id, principal=AUTHOR, now=MONDAY, attempt=attempt)


def files(**contents: str) -> tuple[FileBody, ...]:
    return tuple(FileBody(path=f"{name}.txt", text=text) for name, text in contents.items())


def kubernetes(kind: str, name: str, namespace: str = NAMESPACE, **parts: JSON) -> dict[str, JSON]:
    api_version = {"Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1"}.get(kind, "v1")
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **parts}


def deployment(image: str, namespace: str = NAMESPACE) -> dict[str, JSON]:
    container: dict[str, JSON] = {"name": "app", "image": image}
    return kubernetes("Deployment", "orders", namespace, spec={"template": {"spec": {"containers": [container]}}})


def as_map(value: JSON) -> dict[str, JSON]:
    assert isinstance(value, dict)
    return value


UNPIN = Appointment("unpin:orders/staging", MONDAY, "service.unpin", {"service": "orders"}, AUTHOR)
"""On the agenda before the operation."""
PROJECT: dict[str, JSON] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "team-orders"},
    "spec": {
        "sourceRepos": ["https://forge.example/acme/gitops.git"],
        "destinations": [{"namespace": "orders-staging", "server": "https://kubernetes.default.svc"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
    },
}

CREATE = CreateRepository(id="create", repository=FRESH)
HEAD = Late(parts=(OutputRef(effect="create", output="head"),))
FIRST = CommitFiles(
    id="first",
    repository=FRESH,
    files=(
        FileBody(path="README.md", text="# Orders\n"),
        FileBody(path="bin/run", text="#!/bin/sh\n", mode="100755"),
        FileBody(path="logo.png", base64="iVBORw=="),
    ),
    message="First version",
    replaces=HEAD,
)
NEXT = CommitFiles(
    id="next",
    repository=OLD,
    files=(*files(orders="one"), FileBody(path="apps/old.yaml", text="replicas: 2\n")),
    deleted=("run.sh",),
    message="Deploy orders",
)
PULL_REQUEST = OpenPullRequest(
    id="pr",
    repository=OLD,
    branch="causeway/orders",
    title="Add orders",
    body="Please look.",
    files=files(orders="one"),
)
FINISH = FinishRepository(
    id="finish", repository=FRESH, description="Orders", homepage="https://orders.example", topics=("python", "api")
)
PROTECT = ProtectBranch(id="protect", repository=FRESH)
GRANT = GrantTeam(id="grant", repository=FRESH, team="team-orders", permission="push")
VARIABLES = SetVariables(id="variables", repository=FRESH, variables={"REGION": "eu-1", "OWNER": "team-orders"})
WEBHOOK = CreateWebhook(id="webhook", repository=FRESH, url="https://bot.example/hook", secret_name="webhook")
REGISTER = RegisterInCatalog(id="register", location=CATALOG_FILE)
END_DEPLOYMENTS = EndDeployments(id="end-deployments", repository=OLD, environment=ENVIRONMENT)
RECORD = RecordDeployment(id="record", repository=OLD, commit="main", environment=ENVIRONMENT, description="Orders 1.1")
CONCLUDE = ConcludeDeployment(
    id="conclude",
    repository=OLD,
    environment=ENVIRONMENT,
    deployment=Late(parts=(OutputRef(effect="record", output="deployment"),)),
    url="https://orders.example",
)
COMMENT = LivingComment(
    id="comment", repository=OLD, number=1, preview="pr-1-orders", told=Told(stage="making", by="Sample Author")
)
COMMENT_READY = LivingComment(
    id="comment-ready",
    repository=OLD,
    number=1,
    preview="pr-1-orders",
    told=Told(stage="ready", services=(CommentedService(name="orders", url="https://orders.pr-1-orders.example"),)),
)
BEFORE = (deployment("orders:1"), kubernetes("Ingress", "orders"), kubernetes("Service", "orders", spec={"port": 80}))
SERVICE_ACCOUNT = kubernetes("ServiceAccount", "orders")
SERVICE = kubernetes("Service", "orders", spec={"port": 80})
APPLY = ApplyObjects(
    id="apply",
    cluster="default",
    namespace=NAMESPACE,
    inventory=INVENTORY,
    objects=(SERVICE_ACCOUNT, deployment("orders:2"), SERVICE, kubernetes("ConfigMap", "orders", data={"a": "b"})),
    before=(*BEFORE, SERVICE_ACCOUNT),
)
APPLY_FRESH = ApplyObjects(
    id="apply-fresh",
    cluster="default",
    namespace="fresh",
    inventory="fresh",
    objects=(deployment("fresh:1", "fresh"), kubernetes("ConfigMap", "fresh", "fresh")),
    create_namespace=True,
)

JOIN = JoinProject(id="join", repository=OLD, branch="main", path="argocd/projects/team-orders.yaml", project=PROJECT)
APPOINT = MakeAppointment(
    id="appoint", name="unscale:orders/staging", at=MONDAY, command="service.unscale", request={"service": "orders"}
)
CANCEL = CancelAppointment.of("cancel", UNPIN)
LINE = EnvironmentRecord(
    name="pr-7",
    kind="preview",
    cluster="default",
    namespace="preview-pr-7",
    team="team-orders",
    by="user:default/author",
    operation="op_before",
    created_at=MONDAY,
    expires_at=MONDAY + timedelta(days=3),
    holds={"hosts": ["orders.pr-7.example.com"]},
)
"""In the book before the operation."""
END = EndInBook(id="end-in-book", name="pr-7", what="preview", cluster="default", made_by="op_before")
ENTER = EnterBook(
    id="enter",
    name="pr-8",
    what="preview",
    cluster="default",
    namespace="preview-pr-8",
    team="team-orders",
    by="user:default/author",
    expires_at=MONDAY + timedelta(days=3),
    holds={"folders": ["apps/preview/pr-8"]},
)
EXTEND = EnterBook(
    id="extend",
    name="pr-7",
    what="preview",
    cluster="default",
    namespace="preview-pr-7",
    team="team-orders",
    by="user:default/author",
    expires_at=MONDAY + timedelta(days=9),
    before=LINE,
)

BUILT = "c0ffee" + "0" * 34
"""A commit of OLD whose CI has passed; see `built`."""
AWAIT_BUILD = AwaitBuild(id="await-build", repository=OLD, commit=BUILT, image=f"ghcr.io/{OLD}:{BUILT}")
AWAIT_ONE_OF_BUILDS = AwaitOneOfBuilds(id="await-one", repository=OLD, commit=BUILT, image=f"ghcr.io/{OLD}:{BUILT}")
RETIRE = RetireApplication(id="retire", application="orders-staging", root="root")
DELIVER = CommitFiles(
    id="deliver",
    repository=OLD,
    files=(
        FileBody(path="apps/orders/staging/image.txt", text=f"ghcr.io/{OLD}:{BUILT}\n"),
        FileBody(path="argocd/applications/orders-staging.yaml", text="kind: Application\n"),
    ),
    message="Deploy orders",
    as_requester=True,
)
VISITOR: dict[str, JSON] = kubernetes("Pod", "orders-db-visit-author", spec={"activeDeadlineSeconds": 3600})
ADMIT = AdmitVisitor(id="admit", cluster="default", pod=(VISITOR,), database="orders-db", visitor="author")
LIFT = LiftProtection(
    id="lift",
    repository=OLD,
    files=(FileBody(path="apps/old.yaml", text="replicas: 1\nprotected: false\n"),),
    message="Prepare to delete orders-db",
    database="orders-db",
    main_file="apps/old.yaml",
)
REFRESH_ROOT = RefreshApplication(id="refresh-root", application="root")
DELIVERED = Late(parts=(OutputRef(effect="deliver", output="commitHash"),))
SYNC = SyncApplication(id="sync", application="orders-staging", revision=DELIVERED)
AWAIT_HEALTHY = AwaitHealthy(
    id="await-healthy",
    service="orders",
    environment=ENVIRONMENT,
    cluster="seen by Argo CD only",
    namespace=NAMESPACE,
    application="orders-staging",
    repository=OLD,
    revision=DELIVERED,
    image=f"ghcr.io/{OLD}:{BUILT}",
)

NEEDS: Mapping[str, Sequence[Effect]] = {
    "create": (),
    "next": (),
    "pr": (),
    "register": (),
    "record": (),
    "apply": (),
    "apply-fresh": (),
    "join": (),
    "appoint": (),
    "cancel": (),
    "enter": (),
    "extend": (),
    "admit": (),
    "lift": (),
    "acknowledge": (),
    "silence": (),
    "quiet": (alarms.SILENCE,),
    "room": (),
    "wishes": (),
    "first-wishes": (),
    "conclude": (RECORD,),
    "comment": (PULL_REQUEST,),
    "comment-ready": (PULL_REQUEST, COMMENT),
    **dict.fromkeys(("first", "finish", "protect", "grant", "variables", "webhook"), (CREATE,)),
}
"""Effect id → effects of the same operation that come before it."""

ALL: tuple[Effect, ...] = (
    *(CREATE, FIRST, NEXT, PULL_REQUEST, FINISH),
    *(PROTECT, GRANT, VARIABLES, WEBHOOK, REGISTER),
    *(RECORD, CONCLUDE),
    *(COMMENT, COMMENT_READY),
    *(APPLY, APPLY_FRESH),
    *(JOIN, APPOINT, CANCEL),
    *(ENTER, EXTEND),
    *(ADMIT, LIFT),
    *(alarms.ACKNOWLEDGE, alarms.SILENCE, alarms.QUIET, alarms.OPEN),
    *(wishes.WISHES, wishes.FIRST_WISHES),
)
IDS = [effect.id for effect in ALL]


async def prepared(effect: Effect) -> tuple[World, Effect]:
    """Return a world in which the effects before this one have run, and the effect with its late values bound."""
    made = await world()
    outputs: dict[str, Mapping[str, JSON]] = {}
    for earlier in NEEDS[effect.id]:
        outputs[earlier.id] = (await earlier.apply(made.ports, run(earlier))).outputs
    made.forge.calls.clear()
    made.alerts.faults.calls.clear()
    return made, effect.bound(outputs)


async def insist(effect: Effect, world: World) -> Outcome:
    """Apply until it works, as the engine does for what may pass."""
    for attempt in range(1, 6):
        try:
            return await effect.apply(world.ports, run(effect, attempt))
        except UpstreamUnavailable:
            continue
    raise AssertionError(f"{effect.id} never came to an end")
