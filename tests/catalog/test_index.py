"""The catalog in memory: belonging, owners, channels and quick search; broken files never hide the rest."""

from __future__ import annotations

from bot.catalog.documents import Document, read
from bot.catalog.index import Index, owner_of

PEOPLE = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: engineering, annotations: {causeway.io/slack-channel: "#engineering"}}
spec: {type: department, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders, annotations: {causeway.io/slack-channel: team-orders}}
spec: {type: team, parent: engineering, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-quiet}
spec: {type: team, parent: group:default/engineering, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: author}
spec: {profile: {displayName: Sample Author, email: Author@acme.example}, memberOf: [team-orders]}
"""

SERVICES = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api}
spec: {type: service, lifecycle: production, owner: team-orders}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: no-owner}
spec: {type: service, lifecycle: production}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec: {type: openapi, lifecycle: production, owner: group:default/team-orders, definition: {}}
"""


def index(*texts: str) -> Index:
    return Index(read(Document(f"github:acme/r{number}", "1", text)) for number, text in enumerate(texts))


def test_a_person_belongs_to_their_groups_and_the_groups_above() -> None:
    principal = index(PEOPLE).principal_by_email("author@ACME.example")
    assert principal is not None
    assert principal.display_name == "Sample Author"
    assert principal.groups == {"group:default/team-orders", "group:default/engineering"}


def test_an_unknown_address_is_nobody() -> None:
    assert index(PEOPLE).principal_by_email("nobody@acme.example") is None


def test_a_broken_entity_is_listed_and_hides_nothing() -> None:
    known = index(PEOPLE, SERVICES)
    assert [str(mistake) for mistake in known.mistakes] == ["github:acme/r1[1].spec.owner: Field required"]
    assert known.get("component:default/orders-api") is not None
    assert known.get("api:default/orders") is not None


def test_an_entity_declared_twice_is_listed_and_the_first_stands() -> None:
    known = index(SERVICES, SERVICES)
    found = known.get("component:default/orders-api")
    assert found is not None
    assert found.source == "github:acme/r0"
    assert any("already declared by github:acme/r0" in mistake.message for mistake in known.mistakes)


def test_a_service_is_found_by_short_name_in_any_case() -> None:
    found = index(SERVICES).service("Orders-API")
    assert found is not None
    assert owner_of(found.entity) == "group:default/team-orders"


def test_a_group_without_a_channel_uses_its_parents() -> None:
    known = index(PEOPLE)
    assert known.channel_of("group:default/team-orders") == "team-orders"
    assert known.channel_of("group:default/team-quiet") == "engineering"
    assert known.channel_of("group:default/unknown") is None


def test_search_shows_what_begins_with_the_words_first() -> None:
    found = index(PEOPLE, SERVICES).search("ord", kinds=["component", "api", "group"])
    assert [f.ref for f in found] == [
        "component:default/orders-api",
        "api:default/orders",
        "group:default/team-orders",
    ]


def test_groups_that_are_each_others_parents_end() -> None:
    loop = PEOPLE.replace(
        "metadata: {name: engineering, annotations", "metadata: {name: engineering, labels: {a: b}, annotations"
    ).replace("spec: {type: department, children: []}", "spec: {type: department, parent: team-orders, children: []}")
    principal = index(loop).principal_by_email("author@acme.example")
    assert principal is not None
    assert len(principal.groups) == 2


def test_files_that_are_not_what_they_should_be_become_one_sentence() -> None:
    bomb = "a: &a [x]\n" + "\n".join(f"k{number}: *a" for number in range(200))
    for text, told in {
        "a: [": "line 2",
        "- just\n- a list": "is not a mapping",
        "kind: Spaceship": "is not one of Component",
        "!!python/object/apply:os.system ['true']": "line 1",
        bomb: "aliases",
        "x: " + "[" * 3000: "",
    }.items():
        result = read(Document("github:acme/r", "1", text))
        assert len(result.mistakes) == 1, text
        assert told in str(result.mistakes[0])


def test_what_is_nested_too_deeply_is_a_mistake_and_not_the_end() -> None:
    """A reader in C ends the whole process at some ten thousand levels."""
    for text in ("[" * 45_000 + "]" * 45_000, "[" * 45_000, "{a: " * 45_000):
        (mistake,) = read(Document("acme/deep", "catalog-info.yaml", text)).mistakes
        assert mistake.message == "is nested too deeply"


def test_few_aliases_of_aliases_are_a_bomb_as_well() -> None:
    """Sixty-four aliases that stand for sixteen million values: kept as they are, written out when somebody looks."""
    lines = "\n".join(
        f"  {new}: &{new} [{', '.join(['*' + old] * 8)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb = f"x:\n  a: &a [x, x, x, x, x, x, x, x]\n{lines}\n{SERVICES.lstrip().partition('---')[0]}"
    known = index(bomb)
    assert known.get("component:default/orders-api") is None
    assert [mistake.message for mistake in known.mistakes] == [
        "the file holds more than 100,000 values, its aliases expanded; write less"
    ]
