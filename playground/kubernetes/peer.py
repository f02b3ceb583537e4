"""Kubernetes as the playground has it: an API server, and the controllers that make things move behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aiohttp import web

from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.controllers.pod_logs import NoLogs, log_lines
from playground.kubernetes.controllers.suite import Controllers
from playground.kubernetes.faults import Faults
from playground.kubernetes.http.door import Door, Log
from playground.kubernetes.http.logs import Line, NoLines
from playground.kubernetes.objects import Object
from playground.kubernetes.rbac import MASTERS, User, service_account
from playground.kubernetes.seed import seed
from playground.kubernetes.simulation import Force, Simulation
from playground.kubernetes.store import Store

MAX_BODY = 3 * 1024 * 1024
"""Longest request that is read, in bytes, as on the real server."""
BOT = service_account("causeway", "causeway")
"""Who the bot is: the ServiceAccount that `manifests/install/` grants rights to."""


class KubernetesPeer:
    """One cluster. `admin_token` may do everything; `bot_token` what RBAC objects in the store grant `bot`.

    `pullable` says whether an image is there; without it nothing runs behind the API server: Deployments stay as they
    are, as on a control plane without a controller manager.
    """

    name = "kubernetes"

    def __init__(
        self,
        *,
        data_dir: Path,
        base_url: str,
        clock: Callable[[], datetime],
        admin_token: str,
        bot_token: str,
        bot: User = BOT,
        pullable: Callable[[str], bool] | None = None,
    ) -> None:
        self.base_url = base_url
        self.store = Store(data_dir / "kubernetes.sqlite", clock)
        self._clock = clock
        users = {admin_token: User("admin", frozenset({MASTERS})), bot_token: bot}
        self._faults = Faults()
        self._log = Log(clock)
        self._door = Door(self.store, clock, users, faults=self._faults, log=self._log, lines=self._lines)
        self._controllers: Controllers | None = None
        if pullable is not None:
            forced = data_dir / "forced_pods.json"
            self._controllers = Controllers(self.store, clock, pullable=pullable, file=forced)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY)
        force = Force(self._force, self._force_volumes, self._force_database)
        simulation = Simulation(self.store.objects, self._faults, self._log, self._door.watches, force)
        simulation.add_to(application.router)
        application.router.add_route("*", "/{path:.*}", self._door.handle)
        application.on_shutdown.append(self._end_watches)
        return application

    async def start(self) -> None:
        seed(self.store, nodes=self._controllers is not None)
        if self._controllers:
            self._controllers.start()

    async def close(self) -> None:
        self._door.watches.drop()
        if self._controllers:
            await self._controllers.close()
        self.store.close()

    async def _end_watches(self, _: web.Application) -> None:
        self._door.watches.drop()

    def _force(self, namespace: str, labels: Mapping[str, str], state: str) -> int:
        try:
            look = Look(state)
        except ValueError:
            known = ", ".join(f"`{word.value}`" for word in Look)
            raise ValueError(f"`state` is one of {known}") from None
        return self._played().force(namespace, labels, look)

    def _force_volumes(self, namespace: str, labels: Mapping[str, str], state: str) -> int:
        return self._played().force_volumes(namespace, labels, state)

    def _force_database(self, namespace: str, name: str, state: str, message: str) -> int:
        return self._played().force_database(namespace, name, state, message)

    def _played(self) -> Controllers:
        if self._controllers is None:
            raise ValueError("nothing plays the nodes of this cluster")
        return self._controllers

    def _lines(self, pod: Object, container: str, previous: bool) -> Sequence[Line]:
        try:
            return log_lines(pod, container, self._clock(), previous=previous)
        except NoLogs as error:
            raise NoLines(str(error)) from error


def kubeconfig(
    url: str, token: str, *, user: str = "causeway", namespace: str = "default", context: str = "playground"
) -> str:
    """Return a kubeconfig (JSON, which is YAML) with which a client reaches a cluster with a bearer token."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": url}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user, "namespace": namespace}}],
    }
    return json.dumps(document, indent=2)
