"""A way into a database: what pod it is, for whom, for how long, and how it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.databases.visitors import Visitor, pod_ref, visitor_pod, way_in
from bot.effects import AdmitVisitor, MakeAppointment, Note, RemoveObjects
from bot.errors import Conflict, Refused, UsageError
from bot.model.late import Late
from bot.model.web_service.parts import Database
from bot.ports import Appointment, ObjectRef
from bot.rendering.stores import Store, store_for
from commands import database_connect, database_disconnect
from commands.database_connect import DatabaseConnect
from tests.databases.house import PLATFORM, DatabaseHouse, found, person
from tests.releases.house import ids

AUTHOR = "user:default/author"
POD = ObjectRef("v1", "Pod", "orders-api-db-visit-author", "orders-api-staging")


def store(engine: str = "postgresql", environment: str = "staging") -> Store:
    made = store_for(
        service="orders-api",
        team="team-orders",
        environment=environment,
        platform=PLATFORM,
        document=Database.model_validate({"type": engine}),
    )
    assert made is not None
    return made


def pod(span: str = "1h", *, writing: bool = False, of: Store | None = None) -> Any:
    hours = timedelta(hours=int(span.removesuffix("h")))
    return visitor_pod(of or store(), Visitor(user=AUTHOR, span=hours, writing=writing))


def env(made: Any) -> dict[str, Any]:
    (container,) = made["spec"]["containers"]
    return {one["name"]: one.get("value") or one["valueFrom"]["secretKeyRef"] for one in container["env"]}


# --- the pod


def test_it_ends_by_itself_whoever_is_away_then() -> None:
    assert pod("2h")["spec"]["activeDeadlineSeconds"] == 7200
    assert pod("2h")["spec"]["restartPolicy"] == "Never"


def test_it_is_restricted_and_has_no_token() -> None:
    made = pod()
    (container,) = made["spec"]["containers"]
    assert made["spec"]["automountServiceAccountToken"] is False
    assert made["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_kubelet_reads_the_password_and_nobody_else() -> None:
    assert env(pod())["PGPASSWORD"] == {"name": "orders-api-db-app", "key": "password"}


def test_what_is_begun_there_only_reads_unless_one_says_otherwise() -> None:
    assert env(pod())["PGOPTIONS"] == "-c default_transaction_read_only=on"
    assert "PGOPTIONS" not in env(pod(writing=True))


def test_it_is_no_part_of_the_service_and_reaches_the_database() -> None:
    labels = pod()["metadata"]["labels"]
    assert labels["causeway.io/database-visitor"] == "orders-api-db", "the network policy lets this label in"
    assert not {"causeway.io/service", "causeway.io/environment", "app.kubernetes.io/name"} & set(labels)


@pytest.mark.parametrize(
    ("engine", "begins"),
    [
        ("postgresql", "kubectl --namespace orders-api-staging exec -it orders-api-db-visit-author -- psql"),
        ("mysql", "kubectl --namespace orders-api-staging exec -it orders-api-db-visit-author -- sh -c 'exec mysql "),
    ],
)
def test_the_line_to_paste(engine: str, begins: str) -> None:
    visitor = Visitor(user=AUTHOR, span=timedelta(hours=1))
    assert way_in(store(engine), visitor).startswith(begins)


def test_what_the_secret_does_not_hold_is_known() -> None:
    made = env(pod(of=store("mysql")))
    assert made["DATABASE_NAME"] == "app"
    assert made["MYSQL_PWD"] == {"name": "orders-api-db", "key": "password"}


def test_two_people_have_two_pods_and_odd_handles_are_taken() -> None:
    people = [f"user:default/{name}" for name in ("author", "mate", "A.B_c")]
    assert {pod_ref(store(), user).name for user in people} == {
        "orders-api-db-visit-author",
        "orders-api-db-visit-mate",
        "orders-api-db-visit-a-b-c",
    }


# --- the plan


async def test_a_way_in_is_opened_noted_for_its_end_and_waited_for(held: DatabaseHouse) -> None:
    plan = await held.plan("database.connect", database="orders-api", span="30m")
    assert ids(plan) == ["admit", "remember-end", "await-visitor"]
    assert plan.summary == "Let author into orders-api-db in staging for 30m"
    assert plan.notes[0] == (
        "Enter with: kubectl --namespace orders-api-staging exec -it orders-api-db-visit-author -- psql"
    )
    assert (plan.owner, plan.environment) == ("group:default/team-orders", "staging")
    end = found(plan, MakeAppointment)
    assert isinstance(end.at, Late), "an approval may come much later: the time runs from when the pod is there"
    assert end.request == {"database": "orders-api", "environment": "staging", "visitor": AUTHOR}
    (offer,) = plan.offers
    assert (offer.action, offer.command) == ("disconnect", "database.disconnect")
    assert not plan.undo_later


async def test_the_card_says_what_the_person_may_do_there(held: DatabaseHouse) -> None:
    reading = await held.plan("database.connect", database="orders-api")
    assert reading.highlights[0].startswith("Sessions there only read.")
    writing = await held.plan("database.connect", database="orders-api", writing=True)
    assert writing.highlights == ("Sessions there may change data.",)
    assert writing.summary.endswith("for 1h, writing")


async def test_nobody_has_two_ways_in(held: DatabaseHouse) -> None:
    held.apply_git()
    held.cluster.put(pod())
    with pytest.raises(
        Conflict, match=r"You have a way into orders-api-db already.*/database disconnect orders-api in"
    ):
        await held.plan("database.connect", database="orders-api")
    mate = await held.plan("database.connect", database="orders-api", user="mate")
    assert found(mate, AdmitVisitor).visitor == "mate"


async def test_one_that_has_ended_is_in_nobodys_way(held: DatabaseHouse) -> None:
    held.apply_git()
    held.cluster.put({**pod(), "status": {"phase": "Failed", "reason": "DeadlineExceeded"}})
    assert await held.plan("database.connect", database="orders-api")


async def test_without_the_right_it_is_refused_before_anybody_approves(held: DatabaseHouse) -> None:
    held.cluster.denied = {("create", "pods")}
    with pytest.raises(Refused, match=r"does not let it make and remove pods in .*components/database-access"):
        await held.plan("database.connect", database="orders-api")


async def test_where_there_is_none_one_is_told_how_to_get_one(house: DatabaseHouse) -> None:
    with pytest.raises(Conflict, match=r"has no database in staging.*/database request orders-api in staging"):
        await house.plan("database.connect", database="orders-api")


# --- closing it


async def test_closing_deletes_exactly_that_pod_and_forgets_the_term(held: DatabaseHouse) -> None:
    held.apply_git()
    live = held.cluster.put(pod())
    await _remembered(held)
    plan = await held.plan("database.disconnect", database="orders-api")
    remove = found(plan, RemoveObjects)
    assert [(one.name, one.uid) for one in remove.refs] == [(POD.name, live["metadata"]["uid"])]
    assert ids(plan) == ["remove", "forget-end"]
    assert not plan.agreed, "somebody asks, so policy decides"


async def test_the_end_that_was_agreed_on_needs_nobodys_leave(held: DatabaseHouse) -> None:
    held.apply_git()
    held.cluster.put(pod())
    plan = await held.due("database.disconnect", database="orders-api", environment="staging", visitor=AUTHOR)
    assert plan.agreed
    assert found(plan, RemoveObjects).refs


async def test_an_end_that_finds_nothing_left_says_so(held: DatabaseHouse) -> None:
    plan = await held.due("database.disconnect", database="orders-api", environment="staging", visitor=AUTHOR)
    assert "is gone already" in found(plan, Note).message


async def test_who_has_no_way_in_is_told_so(held: DatabaseHouse) -> None:
    with pytest.raises(Conflict, match="author has no way into orders-api-db in staging"):
        await held.plan("database.disconnect", database="orders-api")


async def test_somebody_elses_pod_of_that_name_is_left_alone(held: DatabaseHouse) -> None:
    held.apply_git()
    other = pod()
    other["metadata"]["annotations"] = {"causeway.io/requested-by": "user:other/author"}
    held.cluster.put(other)
    with pytest.raises(Conflict, match="author has no way into"):
        await held.plan("database.disconnect", database="orders-api")


async def _remembered(house: DatabaseHouse) -> None:
    request = {"database": "orders-api", "environment": "staging", "visitor": AUTHOR}
    house.agenda.put(
        Appointment(
            "disconnect:orders-api-db/staging/author",
            house.now + timedelta(hours=1),
            "database.disconnect",
            request,
            person("author"),
        )
    )


# --- what people type


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("", {}),
        ("a in production for 30m writing", {"database": "a", "environment": "production", "writing": True}),
        ("orders-api staging", {"database": "orders-api", "environment": "staging"}),
        ("to orders-api", {"database": "orders-api"}),
    ],
)
def test_words_become_a_request(words: str, asked: dict[str, Any]) -> None:
    told = database_connect.parse(words.split()).model_dump(exclude_defaults=True)
    told.pop("span", None)
    assert told == asked


def test_a_way_in_is_open_for_at_most_eight_hours() -> None:
    assert DatabaseConnect.model_validate({"span": "8h"}).span == timedelta(hours=8)
    for span in ("9h", "0s", "30s", "7d"):
        with pytest.raises(ValidationError):
            DatabaseConnect.model_validate({"span": span})


def test_whose_way_is_closed_can_be_said() -> None:
    assert database_disconnect.parse(["orders-api", "of", "mate"]).visitor == "mate"
    with pytest.raises(UsageError):
        database_disconnect.parse(["a", "b", "c"])
