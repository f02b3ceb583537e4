"""How a cluster is reached: by a context of a kubeconfig, or from inside it with the pod's service account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bot.errors import Invalid, Mistake, UpstreamUnavailable

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts a pod's own token and the certificate of its API server."""


@dataclass(frozen=True, slots=True)
class Access:
    """`kubeconfig` is empty for the cluster that we run in; `context` is empty for the kubeconfig's current one."""

    kubeconfig: str = ""
    context: str = ""


def find_access(kubeconfig: str, contexts: Mapping[str, str], *, service_account: Path) -> dict[str, Access]:
    """Return how each cluster is reached, by its name. Raise `Invalid` for all contexts that cannot be found.

    Without a kubeconfig, clusters whose context is empty are the one that we run in, and there are none outside of one.
    """
    if kubeconfig:
        _check(kubeconfig, contexts)
        return {name: Access(kubeconfig, context) for name, context in contexts.items()}
    named = [name for name, context in contexts.items() if context]
    if named:
        raise Invalid(
            "Some clusters are named by a context, but there is no kubeconfig.",
            [Mistake(f"platform.clusters.{name}.context", "set CAUSEWAY_KUBECONFIG to the file") for name in named],
        )
    inside = (service_account / "token").exists() and (service_account / "ca.crt").exists()
    return dict.fromkeys(contexts, Access()) if inside else {}


def _check(kubeconfig: str, contexts: Mapping[str, str]) -> None:
    current, known = _contexts(kubeconfig)
    mistakes = [
        Mistake(f"platform.clusters.{name}.context", f"the kubeconfig has no context `{context or current}`")
        for name, context in contexts.items()
        if (context or current) not in known
    ]
    if mistakes:
        there = f"There are: {', '.join(sorted(known))}." if known else "It has none."
        raise Invalid("The kubeconfig does not know every cluster.", mistakes, hint=there)


def _contexts(kubeconfig: str) -> tuple[str, set[str]]:
    """Return the current context and the names of all. The first file that sets the current one wins, as in kubectl."""
    current, known = "", set()
    for path in filter(None, kubeconfig.split(os.pathsep)):
        document = _read(Path(path).expanduser())
        current = current or str(document.get("current-context") or "")
        known |= {str(one.get("name")) for one in document.get("contexts") or [] if isinstance(one, dict)}
    return current, known


def _read(path: Path) -> dict[str, Any]:
    """An error never quotes the file: there are tokens in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(f"it cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise _unusable("it is not YAML") from None
    if not isinstance(document, dict):
        raise _unusable("it is not a kubeconfig")
    return document


def _unusable(why: str) -> Invalid:
    return Invalid("The kubeconfig cannot be used.", [Mistake("CAUSEWAY_KUBECONFIG", why)])


async def load(access: Access, cluster: str) -> Configuration:
    """Return the client's configuration, credentials included. Raise `UpstreamUnavailable` with a sentence."""
    from kubernetes.aio import client, config  # noqa: PLC0415  # 0.15 s, which a start without clusters should not pay

    # A watch holds a connection for as long as it lasts, so a bound on connections would be a bound on watches.
    configuration = client.Configuration(connection_pool_maxsize=0)
    try:
        if access.kubeconfig:
            await config.load_kube_config(
                access.kubeconfig, access.context or None, configuration, persist_config=False
            )
        else:
            config.load_incluster_config(configuration)
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError, AttributeError):
        # Their words may quote the kubeconfig, tokens included.
        raise UpstreamUnavailable(
            f"The credentials for the cluster `{cluster}` cannot be read.",
            hint="Check its user and cluster in the kubeconfig; `causeway doctor` says what is missing.",
        ) from None
    return configuration
