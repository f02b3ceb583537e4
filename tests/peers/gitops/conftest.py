"""One site for all tests of this folder, and one service that runs there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import yaml

from tests.peers.control_plane.fixtures import need_real_crds
from tests.peers.control_plane.rig import ControlPlane
from tests.peers.gitops.site import Site, site_on
from tests.peers.tools import need
from tests.scenario.test_day_two import created
from tests.scenario.world import Json


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    need_real_crds()
    for name in ("servicemonitors", "prometheusrules"):  # the sample company has the Prometheus operator
        file = need("prometheus-operator-crds") / f"monitoring.coreos.com_{name}.yaml"
        control_plane.apply(yaml.load(file.read_text(), Loader=yaml.CSafeLoader))  # the safe one, in C
    async with site_on(control_plane, tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def receipt(site: Site) -> Json:
    """The card of a service that was created through Slack, approved, and runs."""
    return await created(site.world)
