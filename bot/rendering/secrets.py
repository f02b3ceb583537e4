"""Secrets that stand in a document itself. Whatever does would come into Git, plans and cards: it is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.errors import Mistake
from bot.model.credentials import holds_credential

MEND = "looks like a secret, which must not stand here; put it into a Secret and name that under `secrets`"


def secrets_in(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield a mistake for each variable that holds one, whatever else is wrong. No value is repeated."""
    spec = _map(document.get("spec"))
    yield from _among(spec, "spec")
    for name, over in _map(spec.get("environments")).items():
        yield from _among(_map(over), f"spec.environments.{name}")


def services_secrets_in(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the same for the services of an Environment, which names no Secrets itself."""
    services = _map(document.get("spec")).get("services")
    for number, service in enumerate(services if isinstance(services, list) else ()):
        for mistake in _among(_map(service), f"spec.services[{number}]"):
            yield Mistake(mistake.path, f"{mistake.message} in the service's own document")


def _among(spec: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for name, value in _map(spec.get("env")).items():
        if isinstance(value, str) and holds_credential(str(name), value):
            yield Mistake(f"{path}.env.{name}", MEND)
    for field in ("command", "args"):
        words = spec.get(field)
        for number, word in enumerate(words if isinstance(words, list) else ()):
            if isinstance(word, str) and holds_credential("", word):
                yield Mistake(f"{path}.{field}[{number}]", MEND)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
