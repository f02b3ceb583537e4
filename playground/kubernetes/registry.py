"""Which resources the simulated API server serves: the built-in ones that a platform meets, and what CRDs add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object. `versions` are those served, the one that is stored first."""

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str
    namespaced: bool = True
    subresources: frozenset[str] = frozenset()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    counts_generations: bool = False
    """`metadata.generation` is kept: a change of what is wanted raises it."""
    virtual: bool = False
    """Nothing is stored: a question that is answered on the spot (`SelfSubjectAccessReview`)."""
    custom: bool = False
    schemas: Mapping[str, Any] = field(default_factory=dict)
    """Of a custom resource: version → openAPIV3Schema, or nothing where every field is welcome."""
    scale: Mapping[str, str] = field(default_factory=dict)
    """Of a custom resource with `/scale`: the paths that its CRD gives."""

    @property
    def version(self) -> str:
        return self.versions[0]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return `deployments.apps`, as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        return self.group, self.plural

    @property
    def verbs(self) -> tuple[str, ...]:
        return ("create",) if self.virtual else VERBS


class Registry:
    """Resources by group and plural or kind."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_plural: dict[tuple[str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        self._by_plural[resource.key] = resource
        self._by_kind[(resource.group, resource.kind)] = resource

    def remove(self, resource: Resource) -> None:
        self._by_plural.pop(resource.key, None)
        self._by_kind.pop((resource.group, resource.kind), None)

    def find(self, group: str, kind_or_plural: str) -> Resource | None:
        key = (group, kind_or_plural)
        return self._by_kind.get(key) or self._by_plural.get(key)

    def resource(self, group: str, kind_or_plural: str) -> Resource:
        """Raise `LookupError` for what nobody serves."""
        found = self.find(group, kind_or_plural)
        if found is None:
            raise LookupError(f"nothing serves {kind_or_plural} of group {group or 'core'}")
        return found

    def of(self, obj: Mapping[str, Any]) -> Resource:
        """Return the resource that an object's `apiVersion` and `kind` name."""
        group, _, _ = str(obj.get("apiVersion", "")).rpartition("/")
        return self.resource(group, str(obj.get("kind", "")))

    def all(self) -> list[Resource]:
        return list(self._by_plural.values())

    def groups(self) -> dict[str, list[str]]:
        """Return group → its versions, in order of entry; the core group is ``."""
        found: dict[str, list[str]] = {}
        for resource in self._by_plural.values():
            versions = found.setdefault(resource.group, [])
            versions.extend(version for version in resource.versions if version not in versions)
        return found

    def served(self, group: str, version: str) -> list[Resource]:
        return [found for found in self._by_plural.values() if found.group == group and version in found.versions]


def _table(text: str, *, custom: bool = False) -> tuple[Resource, ...]:
    """Read lines of: apiVersion, kind, plural, flags, short names, subresources; `-` for none.

    Flags: `n` namespaced, `g` counts generations, `a` in the category `all`, `v` virtual.
    """
    return tuple(_row(*line.split(), custom=custom) for line in text.strip().splitlines())


def _row(*columns: str, custom: bool) -> Resource:
    api_version, kind, plural, flags, short_names, subresources = ("" if word == "-" else word for word in columns)
    group, _, version = api_version.rpartition("/")
    return Resource(
        group=group,
        versions=(version,),
        kind=kind,
        plural=plural,
        namespaced="n" in flags,
        subresources=frozenset(filter(None, subresources.split(","))),
        short_names=tuple(filter(None, short_names.split(","))),
        categories=("all",) if "a" in flags else (),
        counts_generations="g" in flags,
        virtual="v" in flags,
        custom=custom,
    )


BUILT_IN = _table("""
v1                              Namespace                 namespaces                 -    ns        status,finalize
v1                              Node                      nodes                      -    no        status
v1                              Pod                       pods                       nga  po        status,log
v1                              Service                   services                   na   svc       status
v1                              ConfigMap                 configmaps                 n    cm        -
v1                              Secret                    secrets                    n    -         -
v1                              ServiceAccount            serviceaccounts            n    sa        -
v1                              PersistentVolumeClaim     persistentvolumeclaims     n    pvc       status
v1                              PersistentVolume          persistentvolumes          -    pv        status
v1                              ResourceQuota             resourcequotas             n    quota     status
v1                              LimitRange                limitranges                n    limits    -
v1                              Event                     events                     n    ev        -
v1                              Endpoints                 endpoints                  n    ep        -
apps/v1                         Deployment                deployments                nga  deploy    status,scale
apps/v1                         ReplicaSet                replicasets                nga  rs        status,scale
apps/v1                         StatefulSet               statefulsets               nga  sts       status,scale
apps/v1                         DaemonSet                 daemonsets                 nga  ds        status
batch/v1                        Job                       jobs                       nga  -         status
batch/v1                        CronJob                   cronjobs                   nga  cj        status
autoscaling/v2                  HorizontalPodAutoscaler   horizontalpodautoscalers   nga  hpa       status
policy/v1                       PodDisruptionBudget       poddisruptionbudgets       ng   pdb       status
networking.k8s.io/v1            Ingress                   ingresses                  ng   ing       status
networking.k8s.io/v1            NetworkPolicy             networkpolicies            ng   netpol    -
networking.k8s.io/v1            IngressClass              ingressclasses             g    -         -
discovery.k8s.io/v1             EndpointSlice             endpointslices             ng   -         -
coordination.k8s.io/v1          Lease                     leases                     n    -         -
scheduling.k8s.io/v1            PriorityClass             priorityclasses            g    pc        -
storage.k8s.io/v1               StorageClass              storageclasses             -    sc        -
rbac.authorization.k8s.io/v1    Role                      roles                      n    -         -
rbac.authorization.k8s.io/v1    RoleBinding               rolebindings               n    -         -
rbac.authorization.k8s.io/v1    ClusterRole               clusterroles               -    -         -
rbac.authorization.k8s.io/v1    ClusterRoleBinding        clusterrolebindings        -    -         -
apiextensions.k8s.io/v1         CustomResourceDefinition  customresourcedefinitions  g    crd,crds  status
authorization.k8s.io/v1         SelfSubjectAccessReview   selfsubjectaccessreviews   v    -         -
authorization.k8s.io/v1         SelfSubjectRulesReview    selfsubjectrulesreviews    v    -         -
authentication.k8s.io/v1        SelfSubjectReview         selfsubjectreviews         v    -         -
""")

INSTALLED = _table(
    """
argoproj.io/v1alpha1                  Application      applications      ng  app,apps            -
argoproj.io/v1alpha1                  AppProject       appprojects       ng  appproj,appprojs    -
monitoring.coreos.com/v1              ServiceMonitor   servicemonitors   ng  smon                status
monitoring.coreos.com/v1              PrometheusRule   prometheusrules   ng  promrule            status
postgresql.cnpg.io/v1                 Cluster          clusters          ng  -                   status,scale
postgresql.cnpg.io/v1                 Database         databases         ng  -                   status
postgresql.cnpg.io/v1                 ScheduledBackup  scheduledbackups  ng  -                   status
postgresql.cnpg.io/v1                 Pooler           poolers           ng  -                   status,scale
postgresql.cnpg.io/v1                 Backup           backups           ng  -                   status
database.aws.crossplane.io/v1beta1    RDSInstance      rdsinstances      g   -                   status
cache.aws.crossplane.io/v1beta1       ReplicationGroup replicationgroups g   -                   status
aws.crossplane.io/v1beta1             ProviderConfig   providerconfigs   g   -                   status
platform.acme.example/v1alpha1        CacheInstance    cacheinstances    ng  -                   status
platform.acme.example/v1alpha1        XCacheInstance   xcacheinstances   g   -                   status
snapshot.storage.k8s.io/v1            VolumeSnapshot        volumesnapshots        ng  vs              status
snapshot.storage.k8s.io/v1            VolumeSnapshotContent volumesnapshotcontents g   vsc             status
""",
    custom=True,
)
"""What the operators that the playground plays would have installed, served without a schema: every field is welcome.
A CustomResourceDefinition that is created for one of them takes its place."""


def playground_registry() -> Registry:
    return Registry((*BUILT_IN, *INSTALLED))
