"""Argo CD's own reader of policies on the rights that we give our account there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.install.built import INSTALL, build, one
from tests.peers.control_plane.rig import kubeconfig
from tests.peers.tools import need

PROJECT = "team-orders/orders-staging"


def argocd(folder: Path, *words: str) -> str:
    """Run Argo CD's command line on our policy, with no cluster in reach."""
    policy = folder / "policy.csv"
    policy.write_text(one(build(INSTALL / "argocd"), "ConfigMap", "argocd-rbac-cm")["data"]["policy.causeway.csv"])
    # It insists on a kubeconfig, and asks nothing of the cluster where the policy is a file.
    nowhere = folder / "kubeconfig"
    nowhere.write_text(json.dumps(kubeconfig("https://127.0.0.1:9", "none")))
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "ARGOCD_BINARY_NAME": "argocd"}
    asked: list[str | Path] = [need("argocd"), "admin", "settings", "rbac", *words]
    command = [*asked, "--policy-file", policy, "--kubeconfig", nowhere]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return said.stdout + said.stderr


def test_argocd_can_read_the_policy(tmp_path: Path) -> None:
    assert "Policy is valid" in argocd(tmp_path, "validate")


@pytest.mark.parametrize(
    ("action", "resource", "what", "answer"),
    [
        ("get", "applications", PROJECT, "Yes"),
        ("sync", "applications", PROJECT, "Yes"),
        ("get", "clusters", "https://kubernetes.default.svc", "Yes"),
        ("create", "applications", PROJECT, "No"),
        ("update", "applications", PROJECT, "No"),
        ("delete", "applications", PROJECT, "No"),
        ("override", "applications", PROJECT, "No"),
        ("get", "repositories", "https://github.com/acme/gitops.git", "No"),
        ("update", "projects", "team-orders", "No"),
        ("get", "logs", PROJECT, "No"),
        ("create", "exec", PROJECT, "No"),
    ],
)
def test_our_account_may_read_and_sync_and_nothing_else(
    tmp_path: Path, action: str, resource: str, what: str, answer: str
) -> None:
    assert argocd(tmp_path, "can", "causeway", action, resource, what).strip().splitlines()[-1] == answer
