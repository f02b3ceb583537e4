"""The playground: every peer on its own loopback port, and the settings with which a bot reaches them."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from playground import sample
from playground.argocd.git import PlaygroundRepositories
from playground.argocd.peer import ArgoCDPeer
from playground.clock import PlaygroundClock
from playground.cluster_seed import furnish
from playground.github.peer import GitHubPeer
from playground.kubernetes.peer import KubernetesPeer, kubeconfig
from playground.memory import LOOPBACK, Memory
from playground.monitoring.alertmanager.peer import AlertmanagerPeer
from playground.monitoring.incidents import Incidents
from playground.monitoring.living import LivingServices
from playground.monitoring.loki.peer import LokiPeer
from playground.monitoring.prometheus.peer import PrometheusPeer
from playground.monitoring.tempo.peer import TempoPeer
from playground.page.peer import PagePeer
from playground.peer import Peer
from playground.slack.peer import SlackPeer, SlackTokens

PAGE_PORT = 8800
PEER_PORTS = {
    name: behind
    for behind, name in enumerate(
        ("bot", "slack", "github", "kubernetes", "argocd", "prometheus", "alertmanager", "loki", "tempo"), start=1
    )
}
"""How far behind the page's port each one listens."""
CONTEXT = "main"
"""What the kubeconfig and the platform configuration call the sample company's one cluster."""


class Playground:
    """Starts and stops the peers. It knows a bot only by its URL."""

    def __init__(
        self,
        *,
        data_dir: Path,
        manifest: Mapping[str, Any],
        port: int = PAGE_PORT,
        seed: int | None = None,
        config: Path | None = None,
        socket_mode: bool = False,
        database_url: str | None = None,
        bot_urls: Sequence[str] = (),
    ) -> None:
        """`manifest` is the app manifest that a workspace would be told: its scopes and commands.

        Without `bot_urls` a bot is expected on the port that `env` names.
        """
        self._data_dir = data_dir.resolve()
        self._manifest = manifest
        self._port = port
        self._config = config
        self._socket_mode = socket_mode
        self._database_url = database_url
        self._bot_urls = tuple(bot_urls)
        self._memory = Memory(self._data_dir / "playground.json", seed=seed)
        self._stack = AsyncExitStack()
        self._urls: dict[str, str] = {}
        self.clock = PlaygroundClock(self._data_dir / "clock.json")

    async def start(self) -> None:
        """Bring every peer up. On return all of them listen."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        sockets = {"page": self._memory.port("page", self._port)}
        for name, behind in PEER_PORTS.items():
            sockets[name] = self._memory.port(name, self._port + behind if self._port else 0)
        self._urls = {name: f"http://{LOOPBACK}:{bound.getsockname()[1]}" for name, bound in sockets.items()}
        for bound in sockets.values():
            self._stack.callback(bound.close)  # also when what follows fails
        sockets.pop("bot").close()  # kept only long enough to know that it is free; the bot binds it itself
        self._write_configuration()
        self._write_kubeconfig()
        for peer in self._peers():
            await self._serve(peer, sockets[peer.name])

    async def close(self) -> None:
        await self._stack.aclose()

    @property
    def bot_urls(self) -> tuple[str, ...]:
        return self._bot_urls or (self._urls["bot"],)

    def ready(self) -> dict[str, Any]:
        """What programs are told once everything listens."""
        return {
            "ready": True,
            "page": self._urls["page"],
            "bot": self.bot_urls[0],
            "slack": self._urls["slack"],
            "github": self._urls["github"],
            "kubernetes": self._urls["kubernetes"],
            "argocd": self._urls["argocd"],
            "prometheus": self._urls["prometheus"],
            "alertmanager": self._urls["alertmanager"],
            "loki": self._urls["loki"],
            "tempo": self._urls["tempo"],
            "kubernetes_token": self._memory.token("kubernetes_admin"),
            "data_dir": str(self._data_dir),
            "env": self.environment(),
            "api_tokens": self.api_tokens(),
        }

    def environment(self) -> dict[str, str]:
        """Every setting, secrets included, with which `causeway serve` reaches these peers."""
        values = {
            "CAUSEWAY_SLACK_API_URL": f"{self._urls['slack']}/api",
            "CAUSEWAY_SLACK_SIGNING_SECRET": self._memory.token("slack_signing_secret"),
            "CAUSEWAY_SLACK_BOT_TOKEN": self._memory.token("slack_bot", "xoxb-"),
            "CAUSEWAY_GITHUB_API_URL": f"{self._urls['github']}/api/v3",
            "CAUSEWAY_GITHUB_TOKEN": self._memory.token("github", "ghp_"),
            "CAUSEWAY_GITHUB_WEBHOOK_SECRET": self._memory.token("github_webhook"),
            "CAUSEWAY_KUBECONFIG": str(self._data_dir / "kubeconfig.json"),
            "CAUSEWAY_ARGOCD_URL": self._urls["argocd"],
            "CAUSEWAY_ARGOCD_TOKEN": self._memory.token("argocd"),
            "CAUSEWAY_PROMETHEUS_URL": self._urls["prometheus"],
            "CAUSEWAY_ALERTMANAGER_URL": self._urls["alertmanager"],
            "CAUSEWAY_ALERTMANAGER_TOKEN": self._memory.token("alertmanager"),
            "CAUSEWAY_LOKI_URL": self._urls["loki"],
            "CAUSEWAY_TEMPO_URL": self._urls["tempo"],
            "CAUSEWAY_DATABASE_URL": self._database_url or f"sqlite:///{self._data_dir / 'causeway.db'}",
            "CAUSEWAY_LEDGER_KEY_FILE": str(self._data_dir / "ledger-key.pem"),
            "CAUSEWAY_CONFIG": str(self._data_dir / "causeway.yaml"),
            "CAUSEWAY_CLOCK_URL": f"{self._urls['page']}/sim/clock",
            "CAUSEWAY_LISTEN": self._urls["bot"].removeprefix("http://"),
            "CAUSEWAY_PUBLIC_URL": self.bot_urls[0],
        }
        if self._socket_mode:
            values["CAUSEWAY_SLACK_APP_TOKEN"] = self._memory.token("slack_app", "xapp-")
        return values

    def api_tokens(self) -> dict[str, str]:
        """A bearer token for each person of the catalog."""
        return {p.handle: self._memory.token(f"api:{p.handle}", "cwy_") for p in sample.PEOPLE if p.in_catalog}

    def _peers(self) -> list[Peer]:
        github = self._github()
        kubernetes = self._kubernetes(github)
        page = PagePeer(clock=self.clock, config=self._page_configuration, ready=self.ready)
        return [
            self._slack(),
            github,
            kubernetes,
            self._argocd(github, kubernetes),
            *self._monitoring(kubernetes),
            page,
        ]

    def _monitoring(self, kubernetes: KubernetesPeer) -> list[Peer]:
        """The four that watch what lives in that cluster, and share one story of what goes wrong there."""
        living = LivingServices(kubernetes.store.objects)
        incidents = Incidents(living, self.clock, self._data_dir / "monitoring" / "incidents.json")
        return [
            self._prometheus(incidents, kubernetes),
            self._alertmanager(incidents),
            LokiPeer(clock=self.clock, incidents=incidents),
            TempoPeer(clock=self.clock, incidents=incidents),
        ]

    def _prometheus(self, incidents: Incidents, kubernetes: KubernetesPeer) -> PrometheusPeer:
        return PrometheusPeer(
            data_dir=self._data_dir / "monitoring",
            base_url=self._urls["prometheus"],
            clock=self.clock,
            incidents=incidents,
            objects=kubernetes.store.objects,
            alertmanager_url=self._urls["alertmanager"],
        )

    def _alertmanager(self, incidents: Incidents) -> AlertmanagerPeer:
        return AlertmanagerPeer(
            data_dir=self._data_dir / "monitoring",
            base_url=self._urls["alertmanager"],
            clock=self.clock,
            webhook_urls=[f"{url}/webhooks/alertmanager" for url in self.bot_urls],
            token=self._memory.token("alertmanager"),
            incidents=incidents,
        )

    def _slack(self) -> SlackPeer:
        environment = self.environment()
        return SlackPeer(
            data_dir=self._data_dir / "slack",
            base_url=self._urls["slack"],
            clock=self.clock,
            bot_urls=[f"{url}/slack/events" for url in self.bot_urls],
            tokens=SlackTokens(
                bot=environment["CAUSEWAY_SLACK_BOT_TOKEN"],
                app=self._memory.token("slack_app", "xapp-"),
                signing_secret=environment["CAUSEWAY_SLACK_SIGNING_SECRET"],
            ),
            scopes=frozenset(self._manifest["oauth_config"]["scopes"]["bot"]),
            socket_mode=self._socket_mode,
            manifest=self._manifest,
        )

    def _github(self) -> GitHubPeer:
        environment = self.environment()
        return GitHubPeer(
            data_dir=self._data_dir / "github",
            base_url=self._urls["github"],
            clock=self.clock,
            token=environment["CAUSEWAY_GITHUB_TOKEN"],
            webhook_secret=environment["CAUSEWAY_GITHUB_WEBHOOK_SECRET"],
            webhook_urls=[f"{url}/webhooks/github" for url in self.bot_urls[:1]],
        )

    def _kubernetes(self, github: GitHubPeer) -> KubernetesPeer:
        """One cluster with nodes. Images of the sample company have to have been built; all others are there."""
        own = f"{github.hub.registry}/{sample.ORGANISATION}/"
        peer = KubernetesPeer(
            data_dir=self._data_dir / "kubernetes",
            base_url=self._urls["kubernetes"],
            clock=self.clock,
            admin_token=self._memory.token("kubernetes_admin"),
            bot_token=self._memory.token("kubernetes"),
            pullable=lambda image: not image.startswith(own) or github.pullable(image),
        )
        furnish(peer.store, self._gitops_url())
        return peer

    def _argocd(self, github: GitHubPeer, kubernetes: KubernetesPeer) -> ArgoCDPeer:
        """Deliver to that cluster; every push is heard at once, as through a webhook."""
        peer = ArgoCDPeer(
            store=kubernetes.store,
            clock=self.clock,
            repositories=PlaygroundRepositories(github.hub),
            token=self._memory.token("argocd"),
        )
        github.hub.on_ref_change.append(lambda repo, _: peer.pushed(f"{repo['owner']}/{repo['name']}"))
        return peer

    def _gitops_url(self) -> str:
        """The address under which Argo CD reads the GitOps repository."""
        return f"{self._urls['github']}/{sample.GITOPS}.git"

    def _page_configuration(self) -> dict[str, object]:
        commands = self._manifest["features"]["slash_commands"]
        shown = [{key: c.get(key, "") for key in ("command", "usage_hint", "description")} for c in commands]
        return {**self._urls, "commands": shown}

    async def _serve(self, peer: Peer, bound: socket.socket) -> None:
        await peer.start()
        self._stack.push_async_callback(peer.close)
        runner = web.AppRunner(peer.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, bound).start()

    def _write_configuration(self) -> None:
        """The sample company's `causeway.yaml`, with the given file's words on top."""
        document = _merged(self._sample_configuration(), self._given_configuration())
        (self._data_dir / "causeway.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))

    def _write_kubeconfig(self) -> None:
        file = self._data_dir / "kubeconfig.json"
        file.touch(mode=0o600)
        file.write_text(kubeconfig(self._urls["kubernetes"], self._memory.token("kubernetes"), context=CONTEXT))

    def _given_configuration(self) -> dict[str, Any]:
        if self._config is None:
            return {}
        given = yaml.safe_load(self._config.read_text())
        if not isinstance(given, dict):
            return {}
        for part in ("catalog", "golden_paths"):  # relative folders mean: beside the given file
            section = given.get(part)
            if isinstance(section, dict) and isinstance(section.get("folders"), list):
                section["folders"] = [str(self._config.resolve().parent / str(folder)) for folder in section["folders"]]
        return given

    def _sample_configuration(self) -> dict[str, Any]:
        tokens = self.api_tokens().items()
        return {
            "slack": {"platform_channel": "platform"},
            "github": {
                "organization": sample.ORGANISATION,
                "web_url": self._urls["github"],
                "writes_per_second": 1000,  # nobody's limits are hurt here
                "creations_per_minute": 100_000,
                "creations_per_hour": 1_000_000,
                "points_per_minute": 1_000_000,
            },
            "catalog": {"repositories": [f"{sample.ORGANISATION}/catalog", f"{sample.ORGANISATION}/*"]},
            "platform": self._sample_platform(),
            "policy": {"administrators": ["group:default/platform"]},
            "ledger": {"publish_file": str(self._data_dir / "ledger-heads.jsonl")},
            "api_tokens": [
                {"user": f"user:default/{handle}", "sha256": hashlib.sha256(token.encode()).hexdigest()}
                for handle, token in tokens
            ],
        }

    def _sample_platform(self) -> dict[str, Any]:
        """Two environments on one cluster: each commit goes to staging by itself, production is approved. Databases
        are CloudNativePG's in staging and the cloud's in production; caches are of the company's own composite type."""
        domain = f"{sample.ORGANISATION}.example"
        contact = "#platform"
        cache = {"provider": "claim", "claim": sample.CACHE_CLAIM, "contact": contact}
        in_cluster = {
            "provider": "cloudnativepg",
            "backups": {"method": "plugin", "parameters": {"barmanObjectName": "backups"}},
            "seeding": {"method": "backup"},
            "contact": contact,
        }
        in_cloud = {"provider": "crossplane", "contact": contact}
        return {
            "clusters": {CONTEXT: {"context": CONTEXT}},
            "environments": {
                "staging": {
                    "cluster": CONTEXT,
                    "domain": f"staging.{domain}",
                    "approve": "none",
                    "automatic": True,
                    "monitoring": {"enabled": True},
                    "database": in_cluster,
                    "databases": {"mysql": in_cloud, "valkey": cache},
                },
                "production": {
                    "cluster": CONTEXT,
                    "domain": domain,
                    "approve": "owner",
                    "max_replicas": 6,
                    "monitoring": {"enabled": True},
                    "database": in_cloud,
                    "databases": {"valkey": cache},
                },
            },
            "previews": {
                "base": "staging",
                "cluster": CONTEXT,
                "domain": f"preview.{domain}",
                "delivery": "direct",
                "seed": "staging",
            },
            "slo": {"availability": 99.9, "latency": {"target": 99, "below": "500ms"}},
            "image_owner": sample.ORGANISATION,
            "gitops": {"repository": sample.GITOPS, "repo_url": self._gitops_url()},
            "argocd": {"web_url": self._urls["argocd"]},
        }


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        here = result.get(key)
        result[key] = _merged(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return result
