"""What is killed in the middle: one line for each plan whose effects must survive it.

To add effects, add a `Case`: how its world (kept in files, because the process dies) begins, which effects change it,
and what can be seen of it afterwards. Every write to an outside system and every transaction becomes a boundary.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from bot.effects import EFFECTS as REAL_EFFECTS
from bot.errors import Conflict
from bot.model.effect import Effect, EffectCatalog, Outcome, Run
from bot.ports import (
    Agenda,
    AlertBook,
    Alerts,
    CatalogRegistry,
    Cluster,
    Conversations,
    Deployments,
    Environments,
    File,
    Forge,
    NewRepository,
    NotificationBook,
    Ports,
)
from tests.effects import alarms, databases, endings, scenes, teardowns, wishes
from tests.fakes.agenda import FakeAgenda
from tests.fakes.alert_book import FakeAlertBook
from tests.fakes.alerts import FakeAlerts
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.conversations import FakeConversations
from tests.fakes.environments import FakeEnvironments
from tests.fakes.forge import FakeForge
from tests.fakes.notification_book import FakeNotificationBook
from tests.operations.kill_argocd import Briefly, GitDelivery
from tests.operations.world import Await, Folder, MakeFile

Point = Callable[[str], None]
"""Called at each boundary with its name; may not return."""

WRITES = (
    *("create", "update", "delete", "commit", "replace", "grant", "revoke", "set_", "close", "register", "unreg"),
    *("apply", "refresh", "sync", "add", "remove", "enter", "end"),
    *("change", "silence", "unsilence", "archive", "post", "tell", "keep"),
)
"""How the names of those methods of a port begin that change something."""


class Refuse(Effect, frozen=True):
    """Fails for good: turns any plan into one that must leave nothing."""

    kind: ClassVar[str] = "test.refuse"
    undoable: ClassVar[bool] = False

    def describe(self) -> str:
        return "Fail"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        raise Conflict("The name is taken.")


@dataclass(frozen=True)
class Case:
    name: str
    effects: tuple[Effect, ...]
    begin: Callable[[Path], Coroutine[Any, Any, None]]
    """Makes the world in a folder, as it is before the operation."""
    ports: Callable[[Path, Point], Ports]
    """The world in that folder, with a point before and after each write."""
    look: Callable[[Path], object]
    """Everything that can be seen of it; equal for equal worlds."""
    returns: bool = True
    """Whether a plan that fails is taken back whole; nothing brings back what was deleted for good."""


class Watched:
    """A port with a boundary before and after each call that changes something."""

    def __init__(self, port: object, name: str, point: Point) -> None:
        self._port, self._name, self._point = port, name, point

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if not method.startswith(WRITES):
            return found

        @functools.wraps(found)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("dry_run"):
                return await cast("Callable[..., Coroutine[Any, Any, Any]]", found)(*args, **kwargs)
            self._point(f"before {self._name}.{method}")
            result = await cast("Callable[..., Coroutine[Any, Any, Any]]", found)(*args, **kwargs)
            self._point(f"after {self._name}.{method}")
            return result

        return watched


def _forge(folder: Path) -> FakeForge:
    folder.mkdir(parents=True, exist_ok=True)
    return FakeForge(folder / "forge.json")


def _catalog(folder: Path) -> FakeCatalog:
    return FakeCatalog(folder / "catalog.json")


async def _begin_forge(folder: Path) -> None:
    forge = _forge(folder)
    await forge.create_repository(NewRepository(scenes.OLD, "What runs where"))
    head = await forge.branch_head(scenes.OLD, "main")
    assert head is not None
    old = [File("apps/old.yaml", b"replicas: 1\n"), File("run.sh", b"#!/bin/sh\n", "100755")]
    await forge.commit(scenes.OLD, "main", old, "Begin", parent=head.sha)
    await scenes.deployed(forge)


def _forge_ports(folder: Path, point: Point) -> Ports:
    return Ports(
        forge=cast("Forge", Watched(_forge(folder), "forge", point)),
        catalog=cast("CatalogRegistry", Watched(_catalog(folder), "catalog", point)),
    )


def _look_at_forge(folder: Path) -> object:
    seen = json.dumps([_forge(folder).world(), sorted(_catalog(folder).locations)], default=repr)
    # What a comment remembers of its earlier text is packed, with the operation's name in it.
    seen = re.sub(r"(causeway:step \S+ \S+) \S+ -->", r"\1 BEFORE -->", seen)
    # Commits name the operation, which is another in each life, and so their hashes differ too.
    return json.loads(re.sub(r'kill-\d+|(?<="head_sha": ")\w+', "OF THE OPERATION", seen))


def _cluster(folder: Path) -> FakeCluster:
    folder.mkdir(parents=True, exist_ok=True)
    return FakeCluster(file=folder / "cluster.json")


async def _begin_cluster(folder: Path) -> None:
    await scenes.released(_cluster(folder))
    databases.put_ready(_cluster(folder))


def _cluster_ports(folder: Path, point: Point) -> Ports:
    watched = cast("Cluster", Watched(_cluster(folder), "cluster", point))
    nobody = (cast("Forge", None), cast("CatalogRegistry", None))
    return Ports(forge=nobody[0], catalog=nobody[1], clusters={"default": watched})


def _look_at_cluster(folder: Path) -> object:
    return json.loads(re.sub(r"kill-\d+", "OF THE OPERATION", json.dumps(_cluster(folder).world())))


async def _begin_visit(folder: Path) -> None:
    await _begin_cluster(folder)
    endings.put_there(_cluster(folder))


async def _begin_deletion(folder: Path) -> None:
    await _begin_forge(folder)
    await _begin_visit(folder)


def _deletion_ports(folder: Path, point: Point) -> Ports:
    operator = endings.QuickOperator(file=folder / "cluster.json")
    watched = cast("Cluster", Watched(operator, "cluster", point))
    return replace(_forge_ports(folder, point), clusters={"default": watched}, waiting=Briefly())


def _look_at_deletion(folder: Path) -> object:
    return [_look_at_forge(folder), _look_at_cluster(folder)]


async def _begin_deploy(folder: Path) -> None:
    await _begin_forge(folder)
    forge = _forge(folder)
    scenes.built(forge)
    await GitDelivery(forge, scenes.OLD, folder / "argocd.json").refresh("root")


def _deploy_ports(folder: Path, point: Point) -> Ports:
    forge = _forge(folder)
    argocd = GitDelivery(forge, scenes.OLD, folder / "argocd.json")
    return Ports(
        forge=cast("Forge", Watched(forge, "forge", point)),
        catalog=cast("CatalogRegistry", None),
        deployments=cast("Deployments", Watched(argocd, "argocd", point)),
        waiting=Briefly(),
    )


def _look_at_deploy(folder: Path) -> object:
    argocd = GitDelivery(_forge(folder), scenes.OLD, folder / "argocd.json")
    application = asyncio.run(argocd.application("orders-staging"))
    return {"forge": _look_at_forge(folder), "runs": application.images if application else None}


def _agenda(folder: Path) -> FakeAgenda:
    folder.mkdir(parents=True, exist_ok=True)
    return FakeAgenda(folder / "agenda.json")


async def _begin_agenda(folder: Path) -> None:
    _agenda(folder).put(scenes.UNPIN)


def _agenda_ports(folder: Path, point: Point) -> Ports:
    watched = cast("Agenda", Watched(_agenda(folder), "agenda", point))
    return Ports(forge=cast("Forge", None), catalog=cast("CatalogRegistry", None), agenda=watched)


def _look_at_agenda(folder: Path) -> object:
    return dict(_agenda(folder).appointments)


def _book(folder: Path) -> FakeEnvironments:
    folder.mkdir(parents=True, exist_ok=True)
    return FakeEnvironments(folder / "book.json")


async def _begin_book(folder: Path) -> None:
    _book(folder).put(scenes.LINE)


def _book_ports(folder: Path, point: Point) -> Ports:
    watched = cast("Environments", Watched(_book(folder), "book", point))
    return Ports(forge=cast("Forge", None), catalog=cast("CatalogRegistry", None), environments=watched)


def _look_at_book(folder: Path) -> object:
    return dict(_book(folder).open)


def _alarm(folder: Path) -> tuple[FakeAlerts, FakeAlertBook, FakeConversations]:
    folder.mkdir(parents=True, exist_ok=True)
    return (
        FakeAlerts(folder / "alerts.json"),
        FakeAlertBook(folder / "alert_book.json"),
        FakeConversations(folder / "rooms.json"),
    )


async def _begin_alarm(folder: Path) -> None:
    alerts, book, _ = _alarm(folder)
    await alerts.silence(alarms.OTHER)
    book.put(alarms.GROUP)


def _alarm_ports(folder: Path, point: Point) -> Ports:
    alerts, book, rooms = _alarm(folder)
    return Ports(
        forge=cast("Forge", None),
        catalog=cast("CatalogRegistry", None),
        alerts=cast("Alerts", Watched(alerts, "alerts", point)),
        alert_book=cast("AlertBook", Watched(book, "alert book", point)),
        conversations=cast("Conversations", Watched(rooms, "rooms", point)),
    )


def _look_at_alarm(folder: Path) -> object:
    """Not at what was said: that stays said."""
    alerts, book, rooms = _alarm(folder)
    silences = sorted((one.by, one.ends_at.isoformat()) for one in alerts.standing)
    decided = dict(book.decided(alarms.GROUP.id))
    if decided.get("quieted"):
        decided["quieted"] = {**decided["quieted"], "id": "SOME SILENCE"}
    seen = json.dumps([silences, decided, dict(rooms.open)])
    return json.loads(re.sub(r"kill-\d+", "OF THE OPERATION", seen))


def _wishes(folder: Path) -> FakeNotificationBook:
    folder.mkdir(parents=True, exist_ok=True)
    return FakeNotificationBook(folder / "wishes.json")


async def _begin_wishes(folder: Path) -> None:
    _wishes(folder).put(wishes.TEAM, wishes.BEFORE)


def _wishes_ports(folder: Path, point: Point) -> Ports:
    return Ports(
        forge=cast("Forge", None),
        catalog=cast("CatalogRegistry", None),
        notification_book=cast("NotificationBook", Watched(_wishes(folder), "wishes", point)),
    )


def _look_at_wishes(folder: Path) -> object:
    return dict(_wishes(folder).written)


async def _begin_teardown(folder: Path) -> None:
    await _begin_book(folder)
    teardowns.put_preview(_cluster(folder))


def _teardown_ports(folder: Path, point: Point) -> Ports:
    return replace(_cluster_ports(folder, point), environments=_book_ports(folder, point).environments)


def _look_at_teardown(folder: Path) -> object:
    return {"cluster": _look_at_cluster(folder), "book": _look_at_book(folder)}


async def _begin_ending(folder: Path) -> None:
    await _begin_forge(folder)
    forge = _forge(folder)
    head = await forge.branch_head(scenes.OLD, "main")
    assert head is not None
    texts = {
        "apps/preview/pr-7/image.txt": "web:1\n",
        "argocd/applications/preview-pr-7.yaml": "kind: Application\n",
        teardowns.PROJECT_FILE: json.dumps(scenes.PROJECT),
    }
    files = [File(path, text.encode()) for path, text in texts.items()]
    await forge.commit(scenes.OLD, "main", files, "Bring up pr-7", parent=head.sha)
    await GitDelivery(forge, scenes.OLD, folder / "argocd.json").refresh("root")


def _look_at_ending(folder: Path) -> object:
    argocd = GitDelivery(_forge(folder), scenes.OLD, folder / "argocd.json")
    found = asyncio.run(argocd.application(teardowns.APPLICATION))
    return {"forge": _look_at_forge(folder), "runs": found is not None}


async def _begin_files(folder: Path) -> None:
    Folder(folder).write("other", "theirs", "op-other")


def _file_ports(folder: Path, point: Point) -> Ports:
    async def hook(where: str, name: str) -> None:
        point(f"{where} {name}")

    return Ports(forge=cast("Forge", Folder(folder, hook)), catalog=cast("CatalogRegistry", None))


def _look_at_files(folder: Path) -> object:
    seen = Folder(folder)
    made = [line for line in seen.history() if line.startswith("made")]
    return {"files": seen.files(), "made twice": sorted({line for line in made if made.count(line) > 1})}


CASES = (
    Case(
        "files",
        (MakeFile(id="one", text="x"), Await(id="await"), MakeFile(id="two", text="y")),
        _begin_files,
        _file_ports,
        _look_at_files,
    ),
    Case(
        "new repository",
        (
            *(scenes.CREATE, scenes.FIRST, scenes.FINISH, scenes.PROTECT),
            *(scenes.GRANT, scenes.VARIABLES, scenes.WEBHOOK, scenes.REGISTER),
        ),
        _begin_forge,
        _forge_ports,
        _look_at_forge,
    ),
    Case("old repository", (scenes.NEXT, scenes.PULL_REQUEST), _begin_forge, _forge_ports, _look_at_forge),
    Case(
        "told pull request",
        (scenes.PULL_REQUEST, scenes.COMMENT, scenes.COMMENT_READY),
        _begin_forge,
        _forge_ports,
        _look_at_forge,
    ),
    Case("joined project", (scenes.JOIN, scenes.NEXT), _begin_forge, _forge_ports, _look_at_forge),
    Case("visit", (scenes.ADMIT, endings.AWAIT_VISITOR), _begin_visit, _cluster_ports, _look_at_cluster),
    Case("protection", (scenes.LIFT,), _begin_forge, _forge_ports, _look_at_forge),
    Case("new database", (endings.RETIRE, scenes.NEXT), _begin_deletion, _deletion_ports, _look_at_deletion),
    Case("protected database", (endings.PROTECT,), _begin_forge, _forge_ports, _look_at_forge, returns=False),
    Case("larger database", (endings.GROW,), _begin_forge, _forge_ports, _look_at_forge, returns=False),
    Case(
        "database deletion",
        (scenes.LIFT, endings.UNPROTECTED, endings.TAKE, endings.DELETE),
        _begin_deletion,
        _deletion_ports,
        _look_at_deletion,
        returns=False,
    ),
    Case("agenda", (scenes.APPOINT, scenes.CANCEL), _begin_agenda, _agenda_ports, _look_at_agenda),
    Case("book", (scenes.ENTER, scenes.EXTEND), _begin_book, _book_ports, _look_at_book),
    Case(
        "alert",
        (
            *(alarms.ACKNOWLEDGE, alarms.SILENCE, alarms.QUIET),
            *(alarms.OPEN, alarms.ADD, alarms.SAY, alarms.TELL),
        ),
        _begin_alarm,
        _alarm_ports,
        _look_at_alarm,
    ),
    Case("ended silence", (alarms.END,), _begin_alarm, _alarm_ports, _look_at_alarm, returns=False),
    Case("wishes", (wishes.WISHES, wishes.FIRST_WISHES), _begin_wishes, _wishes_ports, _look_at_wishes),
    Case("teardown", teardowns.STRAIGHT, _begin_teardown, _teardown_ports, _look_at_teardown, returns=False),
    Case("teardown by Git", teardowns.BY_GIT, _begin_ending, _deploy_ports, _look_at_ending, returns=False),
    Case("told deployment", (scenes.RECORD, scenes.CONCLUDE), _begin_forge, _forge_ports, _look_at_forge),
    Case("ended deployment", (scenes.END_DEPLOYMENTS,), _begin_forge, _forge_ports, _look_at_forge, returns=False),
    Case(
        "deploy by Git",
        (
            *(scenes.AWAIT_BUILD, scenes.AWAIT_ONE_OF_BUILDS, scenes.RETIRE, scenes.DELIVER),
            *(scenes.REFRESH_ROOT, scenes.SYNC, scenes.AWAIT_HEALTHY),
        ),
        _begin_deploy,
        _deploy_ports,
        _look_at_deploy,
    ),
    Case(
        "cluster",
        (scenes.APPLY_FRESH, scenes.APPLY, databases.AWAIT_DATABASE),
        _begin_cluster,
        _cluster_ports,
        _look_at_cluster,
    ),
)

EFFECTS = EffectCatalog([*REAL_EFFECTS, MakeFile, Await, Refuse])


def case(name: str) -> Case:
    return next(one for one in CASES if one.name == name)
