"""`causeway doctor` on clusters, Argo CD, the GitOps repository and platform documents: each lack with its mend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from bot.errors import NotFound, Refused, UpstreamUnavailable
from bot.model.platform import Platform
from bot.ports import File, NewRepository
from bot.releases.services import Service
from bot.settings import Configuration, Environment, GithubPart, Settings
from bot.terminal.doctor.argocd import delivery
from bot.terminal.doctor.clusters import cluster, connected
from bot.terminal.doctor.documents import platform_documents
from bot.terminal.doctor.examination import look
from bot.terminal.doctor.findings import Finding, Installation, listed
from bot.terminal.doctor.github import forge
from bot.terminal.doctor.own import ledger, replicas
from bot.terminal.doctor.rights import ARGOCD_READ, DIRECT, READ, Right, granted, spoken
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import FakeDeployments, application
from tests.fakes.forge import FakeForge

GITOPS = "acme/gitops"
DOCUMENT = b"""\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: orders}
spec: {image: "ghcr.io/acme/orders:1"}
"""
ORDERS = Service(name="orders", owner="group:default/team-orders", repository="acme/orders")
ROOT = application("root", path="argocd")


class CheckedFake(FakeForge):
    """A forge whose credentials may be stingy."""

    lacks: tuple[str, ...] = ()
    not_sent: frozenset[str] = frozenset()

    async def lacking(self, full_name: str) -> tuple[str, ...]:
        if await self.repository(full_name) is None:
            raise NotFound(f"There is no repository {full_name}.")
        return self.lacks

    async def unheard(self, events: Collection[str]) -> tuple[str, ...]:
        return tuple(one for one in events if one in self.not_sent)


def platform(**parts: Any) -> Platform:
    return Platform.model_validate({"gitops": {"repository": GITOPS}, **parts})


@dataclass(kw_only=True)
class Patient:
    """An installation whose parts a test makes ill."""

    session: aiohttp.ClientSession
    platform: Platform = field(default_factory=platform)
    environment: dict[str, Any] = field(default_factory=lambda: {"github_token": SecretStr("t")})
    forge: CheckedFake = field(default_factory=CheckedFake)
    clusters: dict[str, FakeCluster] = field(default_factory=lambda: {"default": FakeCluster(namespaces=["causeway"])})
    deployments: FakeDeployments | None = field(default_factory=lambda: FakeDeployments(ROOT))
    services: Sequence[Service] = ()

    def installation(self) -> Installation:
        configuration = Configuration(platform=self.platform, github=GithubPart(organization="acme"))
        return Installation(
            settings=Settings(environment=Environment(**self.environment), configuration=configuration),
            session=self.session,
            forge=self.forge,
            clusters=self.clusters,
            deployments=self.deployments,
            services=self.services,
        )

    async def hears(self, check: Callable[[Installation], Any]) -> list[str]:
        """Return the lines of a check, those that ask for a mend marked with `!`."""
        findings: Sequence[Finding] = await check(self.installation())
        return [f"{'' if finding.fine else '! '}{finding.told}" for finding in findings]

    async def hears_of_cluster(self) -> list[str]:
        return await self.hears(lambda installation: cluster("default", installation))


@pytest.fixture
async def patient() -> AsyncIterator[Patient]:
    async with aiohttp.ClientSession() as session:
        yield Patient(session=session)


async def made(forge: FakeForge, full_name: str, files: Mapping[str, bytes]) -> None:
    await forge.create_repository(NewRepository(full_name, ""))
    await forge.commit(
        full_name, "main", parent=None, files=[File(name, content) for name, content in files.items()], message="x"
    )


# --- clusters


async def test_a_cluster_with_every_right_is_fine(patient: Patient) -> None:
    assert await patient.hears_of_cluster() == ["Kubernetes v1.37.2 answers, and gives every right that is needed."]


@pytest.mark.parametrize("right", [*granted(READ), *granted(ARGOCD_READ)], ids=str)
async def test_each_right_that_the_manifests_grant_is_missed(patient: Patient, right: Right) -> None:
    patient.clusters["default"].denied = {(right.verb, right.resource)}
    _, told = await patient.hears_of_cluster()
    assert told.startswith(f"! we may not {right.verb} {right.full_name}")
    assert "Apply manifests/install/" in told


async def test_rights_to_argocd_are_only_needed_where_it_runs(patient: Patient) -> None:
    patient.platform = platform(clusters={"default": {}, "home": {}}, argocd={"cluster": "home"})
    patient.clusters["default"].denied = {("list", "applications")}
    assert len(await patient.hears_of_cluster()) == 1


async def test_direct_delivery_needs_rights_to_write(patient: Patient) -> None:
    patient.platform = platform(environments={"staging": {"delivery": "direct"}})
    patient.services = [ORDERS]
    patient.clusters["default"].denied = {("patch", "deployments"), ("create", "servicemonitors")}
    _, told = await patient.hears_of_cluster()
    assert told == (
        "! we may not patch deployments.apps in orders-staging. "
        "Bind manifests/install/components/direct-delivery/namespace there."
    )


async def test_a_right_to_write_in_the_services_namespaces_suffices(patient: Patient) -> None:
    class Narrow(FakeCluster):
        async def may(self, verb: str, api_version: str, resource: str, *, namespace: str = "") -> bool:
            reads = verb in ("get", "list", "watch") and resource not in ("configmaps", "serviceaccounts")
            return reads or namespace == "orders-staging"

    patient.platform = platform(environments={"staging": {"delivery": "direct"}})
    patient.services = [ORDERS]
    patient.clusters["default"] = Narrow()
    assert len(await patient.hears_of_cluster()) == 1


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"database": {"provider": "cloudnativepg"}}, "Cluster (postgresql.cnpg.io/v1)"),
        ({"database": {"provider": "crossplane"}}, "RDSInstance (database.aws.crossplane.io/v1beta1)"),
        ({"databases": {"mysql": {"provider": "crossplane"}}}, "RDSInstance (database.aws.crossplane.io/v1beta1)"),
        (
            {"database": {"provider": "claim", "claim": {"api_version": "a.example/v1", "kind": "SQLInstance"}}},
            "SQLInstance (a.example/v1)",
        ),
        ({"monitoring": {"enabled": True}}, "ServiceMonitor (monitoring.coreos.com/v1)"),
        ({}, "Application (argoproj.io/v1alpha1)"),
    ],
)
async def test_a_kind_that_the_configuration_asks_for_and_the_cluster_lacks(
    patient: Patient, environment: dict[str, Any], kind: str
) -> None:
    class Bare(FakeCluster):
        async def get(self, ref: Any) -> Any:
            if "." in ref.api_version:
                raise NotFound(f"The cluster does not know the kind {ref.kind}.")
            return await super().get(ref)

    patient.clusters["default"] = Bare()
    patient.platform = platform(environments={"staging": environment})
    told = [line for line in await patient.hears_of_cluster() if kind in line]
    assert len(told) == 1
    assert "Install " in told[0]


async def test_a_kind_whose_objects_we_may_not_read_is_there(patient: Patient) -> None:
    patient.clusters["default"].refuse("get", Refused("No."), times=9)
    patient.platform = platform(environments={"staging": {"monitoring": {"enabled": True}}})
    assert len(await patient.hears_of_cluster()) == 1


async def test_a_cluster_that_does_not_answer_is_one_line(patient: Patient) -> None:
    patient.clusters["default"].refuse("version", UpstreamUnavailable("The cluster `default` is away."), times=9)
    _, lines = await look(patient.installation())
    assert [line for line in lines if "cluster default" in line] == [
        "MEND  cluster default: The cluster `default` is away."
    ]


async def test_without_any_cluster(patient: Patient) -> None:
    patient.clusters = {}
    (told,) = await patient.hears(connected)
    assert told.startswith("! none can be reached from here.")
    patient.platform = Platform()
    (told,) = await patient.hears(connected)
    assert told.startswith("none is configured")


# --- replicas and the ledger's key


async def test_two_replicas_need_one_database_and_one_key(patient: Patient) -> None:
    patient.clusters["default"].put(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "causeway",
                "namespace": "causeway",
                "labels": {"app.kubernetes.io/name": "causeway", "app.kubernetes.io/component": "bot"},
            },
            "spec": {"replicas": 2},
        }
    )
    sqlite, key = await patient.hears(replicas)
    assert sqlite.startswith("! 2 run, each with an SQLite database of its own.")
    assert key.startswith("! 2 run, and CAUSEWAY_LEDGER_KEY_FILE names no key")
    patient.environment |= {"database_url": "postgresql://x@y/z", "ledger_key_file": "/k"}
    assert await patient.hears(replicas) == ["2 run and share what they must."]


async def test_nothing_is_said_of_replicas_where_none_are_seen(patient: Patient) -> None:
    assert await patient.hears(replicas) == []


async def test_the_ledgers_key(patient: Patient, tmp_path: Path) -> None:
    key = tmp_path / "ledger.pem"
    patient.environment |= {"ledger_key_file": str(key)}
    assert (await patient.hears(ledger))[0].startswith("! there is no key at")
    key.write_text("not a key")
    assert "holds no Ed25519 private key" in (await patient.hears(ledger))[0]
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    key.chmod(0o644)
    assert "everybody on this machine can read" in (await patient.hears(ledger))[0]
    key.chmod(0o440)
    assert (await patient.hears(ledger))[0] == "its key can sign."


# --- GitHub and the GitOps repository


async def test_the_gitops_repository_is_missing_there_and_without_its_branch(patient: Patient) -> None:
    _, told = await patient.hears(forge)
    assert told.startswith(f"! there is no repository {GITOPS}")
    await made(patient.forge, GITOPS, {"README.md": b""})
    assert (await patient.hears(forge))[1:] == [f"reads and writes {GITOPS}, and has every permission it needs there."]
    patient.platform = platform(gitops={"repository": GITOPS, "branch": "trunk"})
    _, told = await patient.hears(forge)
    assert told.startswith(f"! {GITOPS} has no branch `trunk`.")


async def test_permissions_that_the_credentials_lack_are_told_at_once(patient: Patient) -> None:
    await made(patient.forge, GITOPS, {"README.md": b""})
    patient.forge.lacks = ("find images (packages: read)", "record deployments (deployments: write)")
    _, told = await patient.hears(forge)
    assert "may not find images (packages: read) and record deployments (deployments: write)." in told


async def test_events_that_the_app_is_not_sent_are_told_where_they_matter(patient: Patient) -> None:
    await made(patient.forge, GITOPS, {"README.md": b""})
    patient.forge.not_sent = frozenset({"issue_comment", "workflow_run"})
    assert len(await patient.hears(forge)) == 2, "without a secret no webhook is taken anyway"
    patient.environment |= {"github_webhook_secret": "hush"}
    assert "! the App is not sent the events workflow_run." in (await patient.hears(forge))[1]
    environments = {"staging": {"domain": "staging.acme.example"}}
    patient.platform = platform(environments=environments, previews={"base": "staging"})
    assert "is not sent the events workflow_run and issue_comment." in (await patient.hears(forge))[1]


async def test_environments_delivered_by_git_need_a_repository(patient: Patient) -> None:
    patient.platform = Platform()
    _, told = await patient.hears(forge)
    assert told.startswith("! `platform.gitops.repository` is not set, but these are delivered by Git: staging.")


# --- Argo CD


class ArgoCDStub:
    """As much of Argo CD's API as the doctor asks."""

    def __init__(self) -> None:
        self.token = "argocd-token-never-to-be-printed"
        self.rights = {"get": "yes", "sync": "yes"}
        self.servers = ["https://kubernetes.default.svc"]
        self.broken = False

    async def answer(self, request: web.Request) -> web.Response:
        if self.broken:
            return web.Response(text="<html>not Argo CD</html>", content_type="text/html")
        known = request.headers.get("Authorization") == f"Bearer {self.token}"
        path = request.path
        if path == "/api/version":
            return web.json_response({"Version": "v3.2.0"})
        if path == "/api/v1/session/userinfo":
            return web.json_response({"loggedIn": True, "username": "causeway"} if known else {})
        if not known:
            return web.json_response({"code": 16}, status=401)
        if path.startswith("/api/v1/account/can-i/applications/"):
            return web.json_response({"value": self.rights[path.split("/")[6]]})
        assert path == "/api/v1/clusters"
        return web.json_response({"items": [{"server": server} for server in self.servers]})


@pytest.fixture
async def argocd(patient: Patient) -> AsyncIterator[ArgoCDStub]:
    stub = ArgoCDStub()
    application = web.Application()
    application.router.add_get("/{path:.*}", stub.answer)
    async with TestServer(application) as server:
        url = str(server.make_url("")).rstrip("/")
        patient.environment |= {"argocd_url": url, "argocd_token": SecretStr(stub.token)}
        yield stub


async def test_a_healthy_argocd(patient: Patient, argocd: ArgoCDStub) -> None:
    assert await patient.hears(delivery) == [
        "Argo CD v3.2.0 lets us read and sync applications.",
        "the application `root` reads our commits and is Synced and Healthy.",
    ]


@pytest.mark.parametrize(
    ("ill", "told"),
    [
        ({"token": "another"}, "does not take the token"),
        ({"rights": {"get": "yes", "sync": "no"}}, "our account may not sync applications"),
        ({"servers": ["https://elsewhere.example"]}, "it knows no cluster https://kubernetes.default.svc"),
        ({"broken": True}, "did not answer as Argo CD does"),
    ],
)
async def test_an_argocd_that_does_not_do(patient: Patient, argocd: ArgoCDStub, ill: dict[str, Any], told: str) -> None:
    token = argocd.token
    for name, value in ill.items():
        setattr(argocd, name, value)
    lines = await patient.hears(delivery)
    assert told in lines[0]
    assert lines[0].startswith("! ")
    assert token not in "".join(lines)


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (None, "there is no application `root`"),
        (replace(ROOT, automated=False), "is not synced by itself"),
        (replace(ROOT, path="apps"), "reads apps at main, and Causeway commits to argocd at main"),
        (replace(ROOT, sync="Unknown"), "has not been compared with its repository yet"),
        (replace(ROOT, conditions=(("ComparisonError", "repository not found"),)), "has a ComparisonError"),
    ],
)
async def test_a_root_application_that_does_not_do(patient: Patient, argocd: ArgoCDStub, root: Any, told: str) -> None:
    patient.deployments = FakeDeployments(*([root] if root else []))
    _, line = await patient.hears(delivery)
    assert line.startswith("! ")
    assert told in line


async def test_without_an_address_or_a_token(patient: Patient) -> None:
    patient.deployments = None
    assert (await patient.hears(delivery))[0].startswith("! CAUSEWAY_ARGOCD_URL is not set")
    patient.environment |= {"argocd_url": "http://127.0.0.1:9"}
    assert (await patient.hears(delivery))[0].startswith("! CAUSEWAY_ARGOCD_TOKEN is not set")
    patient.environment |= {"argocd_token": SecretStr("t")}
    assert "http://127.0.0.1:9 did not answer as Argo CD does" in (await patient.hears(delivery))[0]


async def test_applications_that_may_be_written_need_no_address_but_the_right(patient: Patient) -> None:
    patient.platform = platform(argocd={"write_applications": True})
    assert (await patient.hears(delivery))[0] == "it is asked for syncs by its Application resources."
    assert len(await patient.hears_of_cluster()) == 1
    patient.clusters["default"].denied = {("patch", "applications")}
    _, told = await patient.hears_of_cluster()
    assert told.endswith("Add manifests/install/components/argocd-write to your overlay.")


async def test_argocd_is_nobodys_business_where_all_is_delivered_directly(patient: Patient) -> None:
    patient.platform = platform(environments={"staging": {"delivery": "direct"}})
    assert await patient.hears(delivery) == []


# --- platform documents


async def test_sound_documents_and_services_without_one(patient: Patient) -> None:
    await made(patient.forge, "acme/orders", {"platform.yaml": DOCUMENT})
    await made(patient.forge, "acme/docs", {"README.md": b""})
    patient.services = [ORDERS, Service(name="docs", owner=ORDERS.owner, repository="acme/docs")]
    assert await patient.hears(platform_documents) == ["1 of the catalog's services can be deployed as they stand."]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"kind: WebService\n", "acme/orders: platform.yaml is wrong in 3 places."),
        (DOCUMENT.replace(b"orders", b"other"), "has to be `orders`"),
        (DOCUMENT.replace(b"spec: {", b"spec: {replicas: 99, "), "cannot run in staging"),
        (b"\xff\xfe", "acme/orders: "),
    ],
)
async def test_a_document_that_cannot_be_deployed(patient: Patient, document: bytes, told: str) -> None:
    await made(patient.forge, "acme/orders", {"platform.yaml": document})
    patient.services = [ORDERS]
    (line,) = await patient.hears(platform_documents)
    assert line.startswith("! ")
    assert told in line


async def test_a_service_whose_repository_is_gone(patient: Patient) -> None:
    patient.services = [ORDERS]
    (line,) = await patient.hears(platform_documents)
    assert "the repository acme/orders of orders is not there" in line


async def test_a_forge_that_is_away_is_told_once(patient: Patient) -> None:
    patient.services = [ORDERS]
    patient.forge.refuse("repository", UpstreamUnavailable("GitHub is away."), times=9)
    assert await patient.hears(platform_documents) == []


# --- words


def test_rights_are_told_as_a_person_says_them() -> None:
    rights = [Right("", "pods", "get"), Right("", "pods", "list"), Right("apps", "deployments", "watch")]
    assert spoken(rights) == "get and list pods, watch deployments.apps"


def test_direct_delivery_asks_for_no_wildcard() -> None:
    assert not [right for right in granted(DIRECT) if "*" in (right.group, right.resource, right.verb)]


@pytest.mark.parametrize(
    ("words", "told"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), ([], "")]
)
def test_lists_read_as_sentences(words: list[str], told: str) -> None:
    assert listed(words) == told
