"""What the playground's GitHub holds before anybody has done anything: the sample company and its repositories."""

from __future__ import annotations

from types import ModuleType

import yaml

from playground.github import seed_files
from playground.github.gitrepo import ZERO, GitRepository, Move, Signature
from playground.github.hub import Hub
from playground.sample import Person

GITOPS = "gitops"
CATALOG = "catalog"
SERVICES = {"orders-api": "team-orders", "checkout-web": "team-checkout"}
"""Sample service → the team that owns it."""


async def seed(hub: Hub, sample: ModuleType) -> None:
    """Fill an empty GitHub; everything is committed by people of the sample company."""
    add_people(hub, sample)
    org = sample.ORGANISATION
    platform = sample.LEADS["platform"]
    who, what = "Who we are: groups, people, domains and systems", "What runs where: Argo CD reads this"
    await add_repository(hub, f"{org}/{CATALOG}", who, catalog(sample), author=platform)
    await add_repository(hub, f"{org}/{GITOPS}", what, seed_files.gitops(org), author=platform)
    for name, team in SERVICES.items():
        description, files = seed_files.service(name, team, org)
        lead = sample.LEADS[team]
        await add_repository(hub, f"{org}/{name}", description, files, author=lead, team=team, builds=True)


def add_people(hub: Hub, sample: ModuleType) -> None:
    hub.add_account(sample.ORGANISATION, "Acme", "Organization")
    hub.add_account("causeway", "Causeway", "User", "causeway@acme.example")
    for person in sample.PEOPLE:
        hub.add_account(person.handle, person.name, "User", person.email, member=person.in_catalog)
    for slug, title in sample.GROUPS.items():
        members = [person.handle for person in sample.PEOPLE if slug in person.groups]
        hub.add_team(sample.ORGANISATION, slug, slug, title, members, lead=sample.LEADS[slug])


async def add_repository(
    hub: Hub,
    full_name: str,
    description: str,
    files: dict[str, str],
    *,
    author: str,
    team: str = "platform",
    builds: bool = False,
) -> None:
    """Make a repository of one commit; `builds` runs its workflow, so that its first image can be pulled."""
    org, _, name = full_name.partition("/")
    repo = hub.add_repository(org, name, {"description": description, "private": True})
    signature: Signature = hub.signature(author)

    def work(git: GitRepository) -> str:
        tree = git.write_tree(None, {path: (0o100644, git.write_blob(text.encode())) for path, text in files.items()})
        sha = git.write_commit(tree, [], f"Start {name}", signature)
        git.create_ref("refs/heads/main", sha)
        return sha

    sha = await hub.git(repo, work)
    record = hub.store.get("teams", org.lower(), team)
    if record:
        record["repos"][str(repo["id"])] = "maintain"
        hub.store.put("teams", org.lower(), team, record)
    await hub.ref_changed(repo, Move("refs/heads/main", ZERO, sha), author, runs_workflow=builds)


def catalog(sample: ModuleType) -> dict[str, str]:
    entities = [
        *(_group(sample, slug, title) for slug, title in sample.GROUPS.items()),
        *(_user(person) for person in sample.PEOPLE if person.in_catalog),
        *seed_files.domains(),
    ]
    text = "".join(f"---\n{yaml.safe_dump(entity, sort_keys=False)}" for entity in entities)
    readme = "# Catalog\n\nGroups, people, domains and systems of Acme. Services describe themselves where they live.\n"
    return {"README.md": readme, "catalog-info.yaml": text}


def _group(sample: ModuleType, slug: str, title: str) -> dict[str, object]:
    channels = {channel.name for channel in sample.CHANNELS}
    annotations = {"causeway.io/slack-channel": slug} if slug in channels else {}
    annotations["causeway.io/lead"] = sample.LEADS[slug]
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": {"name": slug, "title": title, "annotations": annotations},
        "spec": {"type": "team", "profile": {"displayName": title}, "children": []},
    }


def _user(person: Person) -> dict[str, object]:
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "User",
        "metadata": {"name": person.handle, "annotations": {"github.com/user-login": person.handle}},
        "spec": {
            "profile": {"displayName": person.name, "email": person.email},
            "memberOf": list(person.groups),
        },
    }
