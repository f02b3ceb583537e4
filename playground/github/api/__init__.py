"""The REST routes, one module per chapter of GitHub's reference."""

from playground.github.api import (
    accounts,
    apps,
    branches,
    commits,
    contents,
    deployments,
    forks,
    git_data,
    hooks,
    issues,
    packages,
    pulls,
    releases,
    repositories,
    rulesets,
    settings,
    statuses,
    teams,
)

MODULES = (
    accounts,
    apps,
    teams,
    repositories,
    forks,
    git_data,
    contents,
    branches,
    pulls,
    statuses,
    commits,
    issues,
    rulesets,
    settings,
    deployments,
    hooks,
    releases,
    packages,
)
ROUTES = [route for module in MODULES for route in module.routes.table]
