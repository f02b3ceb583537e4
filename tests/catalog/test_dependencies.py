"""Who depends on whom, in circles and over namespaces too."""

from __future__ import annotations

from bot.catalog.dependencies import chain_of, dependencies_of, dependents_of
from bot.catalog.documents import Document, read
from bot.catalog.index import Index


def known(**needs: list[str]) -> Index:
    """Return an index of components with what each depends on."""
    text = "\n---\n".join(
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\n"
        f"spec: {{type: service, lifecycle: production, owner: team, dependsOn: {depends_on}}}"
        for name, depends_on in needs.items()
    )
    return Index([read(Document("github:acme/catalog", "1", text, "https://github.example/acme/catalog"))])


def test_services_are_named_in_their_order_and_nothing_else_is() -> None:
    index = known(
        web=[
            "component:orders",
            "resource:queue",
            "component:default/stock",
            "Component:default/Orders",
            "component:x",
        ],
        orders=[],
        stock=[],
    )
    assert dependencies_of(index, "web") == ("orders", "stock")
    assert dependencies_of(index, "nobody") == ()


def test_who_depends_on_a_service_is_known_too() -> None:
    index = known(web=["component:orders"], app=["component:orders"], orders=["component:web"])
    assert dependents_of(index, "orders") == ("app", "web")
    assert dependents_of(index, "nobody") == ()


def test_a_chain_is_followed_so_far_and_no_farther() -> None:
    index = known(a=["component:b"], b=["component:c"], c=["component:d"], d=["component:e"], e=[])
    assert chain_of(index, "a") == {"b": 1, "c": 2, "d": 3}
    assert chain_of(index, "a", depth=1) == {"b": 1}


def test_a_circle_ends_and_nobody_depends_on_themselves() -> None:
    index = known(a=["component:a", "component:b"], b=["component:a", "component:c"], c=["component:b"])
    assert dependencies_of(index, "a") == ("b",)
    assert chain_of(index, "a") == {"b": 1, "c": 2}


def test_the_nearest_way_counts() -> None:
    index = known(a=["component:b", "component:c"], b=["component:c"], c=[])
    assert chain_of(index, "a") == {"b": 1, "c": 1}
