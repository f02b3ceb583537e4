"""What any GitHub does about versions and builds: more checks of the contract, registered when this is imported."""

from __future__ import annotations

from tests.peers.github.contract import Rest, check, line, skeleton


async def grown(rest: Rest, name: str) -> tuple[str, list[str]]:
    """Make a repository with two commits on top of its first; return the hashes, oldest first."""
    shop = await rest.shop(name)
    shas = [(await rest.good("GET", f"{shop}/git/ref/heads/main"))["object"]["sha"]]
    for number, lines in enumerate([[line("a", "1"), line("b", "1")], [line("b", "2")]]):
        parent = await rest.good("GET", f"{shop}/git/commits/{shas[-1]}")
        tree = await rest.good("POST", f"{shop}/git/trees", {"base_tree": parent["tree"]["sha"], "tree": lines})
        body = {"message": f"Step {number}", "tree": tree["sha"], "parents": [shas[-1]]}
        shas.append((await rest.good("POST", f"{shop}/git/commits", body))["sha"])
    await rest.good("PATCH", f"{shop}/git/refs/heads/main", {"sha": shas[-1]})
    return shop, shas


@check
async def a_comparison_lists_commits_from_the_oldest_on_and_files(rest: Rest) -> None:
    shop, (first, second, third) = await grown(rest, "compared")
    found = await rest.good("GET", f"{shop}/compare/{first}...main")
    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("ahead", 2, 0)
    assert [commit["sha"] for commit in found["commits"]] == [second, third]
    assert {file["filename"]: file["status"] for file in found["files"]} == {"a": "added", "b": "added"}
    later = await rest.good("GET", f"{shop}/compare/{second}...{third}")
    assert [(file["filename"], file["status"]) for file in later["files"]] == [("b", "modified")]
    back = await rest.good("GET", f"{shop}/compare/{third}...{first}")
    assert (back["status"], back["ahead_by"], back["behind_by"], back["commits"]) == ("behind", 0, 2, [])
    assert (await rest.good("GET", f"{shop}/compare/main...{third}"))["status"] == "identical"


@check
async def what_does_not_exist_is_not_compared(rest: Rest) -> None:
    shop = await rest.shop("uncompared")
    assert (await rest.call("GET", f"{shop}/compare/main...none"))[0] == 404
    assert (await rest.call("GET", f"{shop}/compare/none...main"))[0] == 404


@check
async def histories_without_a_common_commit_are_not_compared(rest: Rest) -> None:
    shop = await rest.shop("unrelated")
    other = await skeleton(rest, shop, parents=[], lines=[line("a", "1")])
    assert (await rest.call("GET", f"{shop}/compare/main...{other['sha']}"))[0] == 404


@check
async def a_comparison_in_pages_begins_with_the_oldest(rest: Rest) -> None:
    shop, (first, second, third) = await grown(rest, "comparedpages")
    one = await rest.good("GET", f"{shop}/compare/{first}...main?per_page=1&page=1")
    two = await rest.good("GET", f"{shop}/compare/{first}...main?per_page=1&page=2")
    assert [[commit["sha"] for commit in page["commits"]] for page in (one, two)] == [[second], [third]]
    assert (one["ahead_by"], len(one["files"]), len(two["files"])) == (2, 2, 0)


@check
async def tags_name_their_commits(rest: Rest) -> None:
    shop, (first, second, third) = await grown(rest, "tagged")
    note = {"tag": "v2", "message": "Second", "object": second, "type": "commit"}
    annotated = (await rest.good("POST", f"{shop}/git/tags", note))["sha"]
    for name, sha in (("v1", first), ("v2", annotated), ("v3", third)):
        await rest.good("POST", f"{shop}/git/refs", {"ref": f"refs/tags/{name}", "sha": sha})
    found = {tag["name"]: tag["commit"]["sha"] for tag in await rest.good("GET", f"{shop}/tags")}
    assert found == {"v1": first, "v2": second, "v3": third}


@check
async def releases_are_listed_newest_first_and_drafts_have_no_date(rest: Rest) -> None:
    shop = await rest.shop("released")
    for tag, more in (("v1", {"name": "First"}), ("v2", {"prerelease": True}), ("v3", {"draft": True})):
        await rest.good("POST", f"{shop}/releases", {"tag_name": tag, **more})
    found = await rest.good("GET", f"{shop}/releases")
    assert [(one["tag_name"], one["prerelease"], one["draft"]) for one in found if not one["draft"]] == [
        ("v2", True, False),
        ("v1", False, False),
    ]
    assert all((one["published_at"] is None) is one["draft"] for one in found)


@check
async def a_commit_without_runs_has_an_empty_list_of_them(rest: Rest) -> None:
    shop = await rest.shop("unbuilt")
    found = await rest.good("GET", f"{shop}/actions/runs?head_sha={'0' * 40}")
    assert (found["total_count"], found["workflow_runs"]) == (0, [])


@check
async def a_commit_carries_the_author_it_was_given_and_the_committer_too(rest: Rest) -> None:
    shop, (_, _, head) = await grown(rest, "authored")
    tree = (await rest.good("GET", f"{shop}/git/commits/{head}"))["tree"]["sha"]
    person, bot = (
        {"name": "Sample Author", "email": "author@acme.example"},
        {"name": "Bot", "email": "bot@acme.example"},
    )
    body = {"message": "Theirs", "tree": tree, "parents": [head], "author": person}
    alone = await rest.good("POST", f"{shop}/git/commits", body)
    assert alone["author"].items() >= person.items()
    assert alone["committer"].items() >= person.items()
    both = await rest.good("POST", f"{shop}/git/commits", {**body, "committer": bot})
    assert both["author"].items() >= person.items()
    assert both["committer"].items() >= bot.items()
