"""The rig itself: what other tests rely on is there."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest

from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.rig import BOT_TOKEN, ControlPlane

pytestmark = CONTROL_PLANE


def test_all_that_use_it_run_in_one_worker(request: pytest.FixtureRequest) -> None:
    grouped = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@control-plane") == grouped


def test_it_is_the_version_that_is_pinned(control_plane: ControlPlane) -> None:
    assert control_plane.call("GET", "/version")["gitVersion"] == "v1.37.2"


def test_the_bot_has_its_own_rights_and_no_others(control_plane: ControlPlane) -> None:
    control_plane.call("GET", "/api/v1/pods", token=BOT_TOKEN)
    with pytest.raises(HTTPError) as refused:
        control_plane.call("GET", "/api/v1/secrets", token=BOT_TOKEN)
    assert refused.value.code == 403
    refused.value.close()


def test_the_kinds_of_other_projects_are_served(control_plane: ControlPlane) -> None:
    need_real_crds()
    for path in ("argoproj.io/v1alpha1", "postgresql.cnpg.io/v1", "database.aws.crossplane.io/v1beta1"):
        assert control_plane.call("GET", f"/apis/{path}")["resources"]
