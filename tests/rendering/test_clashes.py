"""Two services cannot have one name, nor one address."""

from __future__ import annotations

from bot.model.platform import Environment
from bot.rendering.clashes import Owned, clashes
from bot.rendering.documents import read
from tests.rendering.examples import PLATFORM


def owned(name: str, spec: str = "{image: a:b}", *, team: str = "team-orders", source: str = "") -> Owned:
    (document,) = read(
        f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
    return Owned(document, team, source)


def told(*documents: Owned) -> list[str]:
    return [str(mistake) for mistake in clashes(documents, platform=PLATFORM)]


def test_services_of_their_own_do_not_clash() -> None:
    assert told(owned("a"), owned("b"), owned("c", "{image: a:b, ingress: {host: c.example}}")) == []


def test_a_name_is_given_once() -> None:
    assert told(owned("shop", source="a.yaml"), owned("shop", team="team-checkout", source="b.yaml")) == [
        "b.yaml: metadata.name: the name is taken by shop of team-orders (a.yaml); choose another"
    ]


def test_a_database_has_services_of_its_own_where_namespaces_are_shared() -> None:
    both = owned("shop", "{image: a:b, database: {}}"), owned("shop-db-rw")
    assert told(*both) == []
    shared = Environment(namespace="{team}-{environment}")
    platform = PLATFORM.model_copy(update={"environments": {"staging": shared}})
    assert [mistake.path for mistake in clashes(both, platform=platform)] == ["metadata.name"]


def test_a_cache_has_a_name_as_well_where_namespaces_are_shared() -> None:
    both = owned("shop", "{image: a:b, cache: {}}"), owned("shop-cache")
    assert told(*both) == []
    shared = Environment(namespace="{environment}")
    platform = PLATFORM.model_copy(update={"environments": {"staging": shared}})
    (mistake,) = clashes(both, platform=platform)
    assert mistake.path == "metadata.name"
    assert "taken by shop" in mistake.message


def test_a_host_belongs_to_one_team() -> None:
    host = "{image: a:b, ingress: {host: api.example, paths: [/%s]}}"
    assert told(owned("a", host % "a"), owned("b", host % "b")) == []
    assert told(owned("a", host % "a"), owned("b", host % "b", team="team-checkout")) == [
        "spec.ingress.host: `api.example` is taken in staging by a of team-orders; choose another",
        "spec.ingress.host: `api.example` is taken in production by a of team-orders; choose another",
    ]
    assert "`api.example/a` is taken" in told(owned("a", host % "a"), owned("b", host % "a"))[0]


def test_another_s_usual_address_is_taken_as_well() -> None:
    taken = owned("b", "{image: a:b, ingress: {host: a.staging.acme.example}}", team="team-checkout")
    assert told(owned("a"), taken) == [
        "spec.ingress.host: `a.staging.acme.example` is taken in staging by a of team-orders; choose another"
    ]


def test_the_path_is_where_the_host_was_written() -> None:
    spec = "{image: a:b, environments: {production: {ingress: {host: api.example}}}}"
    (mistake,) = told(owned("a", spec), owned("b", spec, team="team-checkout"))
    assert mistake.startswith("spec.environments.production.ingress.host: ")
