"""A database that is ready, and the wait for it."""

from __future__ import annotations

from bot.effects import AwaitDatabase
from bot.effects.database import MainObject
from bot.ports import ObjectRef
from tests.effects.scenes import NAMESPACE
from tests.fakes.cluster import FakeCluster

CNPG = "postgresql.cnpg.io/v1"
NAME = "orders-db"
SECRET = f"{NAME}-app"
MAIN = ObjectRef(CNPG, "Cluster", NAME, NAMESPACE)
AWAIT_DATABASE = AwaitDatabase(
    id="await-database",
    cluster="default",
    namespace=NAMESPACE,
    main=MainObject(api_version=CNPG, kind="Cluster", name=NAME),
    secret=SECRET,
    name=NAME,
)


def put_ready(cluster: FakeCluster) -> None:
    """Have it there, as CloudNativePG would have made it."""
    cluster.put(
        {
            "apiVersion": CNPG,
            "kind": "Cluster",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"instances": 1},
            "status": {"phase": "Cluster in healthy state", "readyInstances": 1, "writeService": f"{NAME}-rw"},
        }
    )
    cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": NAMESPACE}})
