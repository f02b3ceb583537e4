"""Pickers: own groups first, Backstage's catalogFilter, never more than Slack shows."""

from __future__ import annotations

from bot.catalog.documents import Document, read
from bot.catalog.index import Index
from bot.catalog.options import CatalogOptions
from bot.forms.model import FormField, Kind
from bot.model.canonical import JSON
from bot.model.principal import Principal

GROUP = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: NAME}
spec: {type: KIND, children: []}
"""
COMPONENT = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: NAME, annotations: {example.org/tier: "1"}}
spec: {type: KIND, lifecycle: production, owner: team-b}
"""
PERSON = Principal(user="user:default/author", display_name="A", groups=frozenset({"group:default/team-b"}))


def options(field: FormField | None, query: str, *texts: str) -> list[JSON]:
    index = Index([read(Document("folder:x", "1", "---".join(texts)))])
    source = CatalogOptions(lambda: index)
    return [option.value for option in source.options(field, "owner", query, PERSON)]


def made(template: str, name: str, kind: str = "team") -> str:
    return template.replace("NAME", name).replace("KIND", kind)


OWNER = FormField(name="owner", kind=Kind.OWNER, title="Owner")


def test_an_owner_picker_offers_groups_and_ones_own_first() -> None:
    texts = [made(GROUP, "team-a"), made(GROUP, "team-b"), made(COMPONENT, "team-c", "service")]
    assert options(OWNER, "", *texts) == ["group:default/team-b", "group:default/team-a"]


def test_a_filter_narrows_by_kind_and_by_field() -> None:
    field = OWNER.model_copy(update={"catalog_filter": [{"kind": "Group", "spec.type": "team"}]})
    assert options(field, "", made(GROUP, "team-a"), made(GROUP, "all", "department")) == ["group:default/team-a"]


def test_a_filter_reaches_annotations_with_dots_in_their_names() -> None:
    wanted: JSON = {"kind": "Component", "metadata.annotations.example.org/tier": {"exists": True}}
    field = FormField(name="service", kind=Kind.ENTITY, title="Service", catalog_filter=wanted)
    assert options(field, "", made(COMPONENT, "orders", "service")) == ["component:default/orders"]


def test_no_more_than_a_hundred_are_offered_and_typing_narrows() -> None:
    texts = [made(GROUP, f"team-{number:03}") for number in range(250)]
    assert len(options(OWNER, "", *texts)) == 100
    assert options(OWNER, "team-24", *texts) == [f"group:default/team-{number}" for number in range(240, 250)]
