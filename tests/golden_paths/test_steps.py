from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.errors import Invalid, UsageError
from bot.golden_paths.documents import load_documents
from bot.golden_paths.steps import PROVENANCE
from bot.model.canonical import JSON
from bot.model.late import Late, OutputRef
from bot.ports import File
from tests.golden_paths.helpers import PUBLISH, TEXTBOOK, fetch, path_of, run, step, template, texts

SHA = "${{ steps.publish.output.commitHash }}"
CATALOG_INFO = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${{ values.name }}\n"


async def test_the_textbook_template_runs_as_it_stands() -> None:
    rendered = await run(path_of(TEXTBOOK), {"name": "orders", "owner": "group:default/team-orders"})
    [publish] = rendered.actions
    assert texts(rendered.files) == {"README.md": "# orders\n"}
    assert (publish.id, publish.action, publish.repository) == ("publish", "publish:github", "acme/orders")
    assert texts(publish.files) == {"README.md": "# orders\n"}
    assert publish.outputs == {
        "remoteUrl": "https://github.com/acme/orders.git",
        "repoContentsUrl": "https://github.com/acme/orders/blob/main",
    }


async def test_the_same_answers_give_the_same_result() -> None:
    path = path_of(TEXTBOOK)
    assert await run(path) == await run(path)


async def test_the_repository_remembers_its_template_and_answers_but_no_secrets() -> None:
    page = {"properties": {"name": {}, "token": {"ui:field": "Secret"}, "word": {"ui:widget": "password"}}}
    path = path_of(template(fetch(values={}), PUBLISH, parameters=page))
    rendered = await run(path, {"name": "orders", "token": "hunter2", "word": "hunter3"})
    [kept] = [file for file in rendered.actions[0].files if file.path == PROVENANCE]
    [document] = load_documents(kept.content.decode())
    assert document["template"] == "template:default/sample"
    assert document["revision"] == path.revision
    assert document["answers"] == {"name": "orders"}
    assert b"hunter" not in kept.content


async def test_outputs_that_can_be_foretold_are_computed_and_others_are_bound_later() -> None:
    text = template(
        fetch(values={"name": "${{ parameters.name }}"}),
        PUBLISH,
        step(
            "register",
            "catalog:register",
            repoContentsUrl="${{ steps.publish.output.repoContentsUrl }}",
            catalogInfoPath="/catalog-info.yaml",
        ),
        step("log", "debug:log", message=f"at {SHA}!", sha=SHA),
        output={
            "links": [
                {"title": "Code", "url": "${{ steps.publish.output.remoteUrl }}"},
                {"title": "Catalog", "entityRef": "${{ steps.register.output.entityRef }}"},
                {"title": "Hidden", "url": "https://x", "if": "${{ parameters.missing }}"},
            ],
            "text": [{"title": "Next", "content": f"Clone ${{{{ parameters.name }}}} at {SHA}"}],
        },
    )
    rendered = await run(path_of(text, {"skeleton/catalog-info.yaml": CATALOG_INFO}))
    publish, register, log = rendered.actions
    assert register.outputs == {
        "catalogInfoUrl": "https://github.com/acme/orders/blob/main/catalog-info.yaml",
        "entityRef": "component:default/orders",
    }
    sha = OutputRef(effect="publish", output="commitHash")
    assert log.text("message") == Late(parts=("at ", sha, "!"))
    assert log.text("sha") == Late(parts=(sha,))
    assert [(link.title, link.url, link.entity_ref) for link in rendered.links] == [
        ("Code", "https://github.com/acme/orders.git", None),
        ("Catalog", None, "component:default/orders"),
    ]
    assert rendered.text[0].content == Late(parts=("Clone orders at ", sha))
    assert publish.id == "publish"


async def test_an_entity_from_a_file_that_others_keep_is_known_late() -> None:
    url = "https://github.com/acme/elsewhere/blob/main/catalog-info.yaml"
    text = template(
        step("register", "catalog:register", catalogInfoUrl=url),
        output={"links": [{"title": "It", "entityRef": "${{ steps.register.output.entityRef }}"}]},
    )
    rendered = await run(path_of(text))
    assert rendered.links[0].entity_ref == Late(parts=(OutputRef(effect="register", output="entityRef"),))


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        (True, True),
        (False, False),
        ("${{ parameters.yes }}", True),
        ("${{ parameters.no }}", False),
        ("${{ parameters.missing }}", False),
        ("${{ parameters.missing.deeper }}", False),
        ("${{ parameters.zero }}", False),
        ("${{ parameters.blank }}", False),
        ("${{ parameters.none }}", False),
        ("${{ parameters.empty }}", False),
        ("${{ parameters.object }}", True),
        ("${{ parameters.list }}", True),
        ("text", True),
        ("", False),
        ("${{ parameters.name === 'orders' }}", True),
        ("${{ parameters.name !== 'orders' }}", False),
        ("${{ not parameters.yes }}", False),
        ("${{ parameters.yes and parameters.zero }}", False),
    ],
)
async def test_a_step_runs_when_its_condition_is_true_as_in_javascript(condition: str | bool, runs: bool) -> None:
    answers: dict[str, Any] = {
        "yes": True,
        "no": False,
        "zero": 0,
        "blank": "",
        "none": None,
        "empty": [],
        "object": {},
        "list": [0],
        "name": "orders",
    }
    rendered = await run(path_of(template({"id": "log", "action": "debug:log", "if": condition})), answers)
    assert bool(rendered.actions) is runs
    assert bool(rendered.notes) is not runs


async def test_a_skipped_step_has_no_outputs() -> None:
    skipped = PUBLISH | {"if": "${{ parameters.no }}"}
    log = step("log", "debug:log", message="[${{ steps.publish.output.remoteUrl }}]")
    assert (await run(path_of(template(skipped, log)))).actions[0].inputs == {"message": "[]"}


async def test_each_runs_a_step_for_every_item() -> None:
    each = {
        "id": "log",
        "action": "debug:log",
        "each": "${{ parameters.rows }}",
        "input": {"message": "${{ each.key }}=${{ each.value.n }}"},
    }
    path = path_of(template(each))
    listed = await run(path, {"rows": [{"n": 1}, {"n": 2}]})
    named = await run(path, {"rows": {"a": {"n": 1}}})
    assert [(a.id, a.inputs["message"]) for a in listed.actions] == [("log-1", "0=1"), ("log-2", "1=2")]
    assert [(a.id, a.inputs["message"]) for a in named.actions] == [("log-1", "a=1")]


async def test_each_with_a_condition_asks_it_for_every_item() -> None:
    each = {
        "id": "log",
        "action": "debug:log",
        "each": [1, 2, 3],
        "if": "${{ each.value > 1 }}",
        "input": {"message": "${{ each.value }}"},
    }
    rendered = await run(path_of(template(each)))
    assert [action.inputs["message"] for action in rendered.actions] == [2, 3]


async def test_outputs_of_each_are_lists() -> None:
    publish = PUBLISH | {"each": ["a", "b"], "input": {"repoUrl": "github.com?repo=${{ each.value }}"}}
    log = step("log", "debug:log", message="${{ steps.publish.output.remoteUrl | join(' ') }}")
    rendered = await run(path_of(template(fetch(values={}), publish, log)))
    assert rendered.actions[-1].inputs["message"] == "https://github.com/acme/a.git https://github.com/acme/b.git"


async def test_the_person_who_asks_is_known_to_the_template() -> None:
    log = step("log", "debug:log", message="${{ user.ref }} ${{ user.entity.metadata.name }}")
    [action] = (await run(path_of(template(log)))).actions
    assert action.inputs["message"] == "user:default/author author"


async def test_files_are_written_renamed_deleted_and_kept() -> None:
    text = template(
        fetch(values={}),
        step("plain", "fetch:plain", url="./skeleton", targetPath="copied"),
        step("one", "fetch:plain:file", url="./skeleton/a.txt", targetPath="single/b.txt"),
        step("rename", "fs:rename", files=[{"from": "dir", "to": "moved"}, {"from": "a.txt", "to": "z.txt"}]),
        step("delete", "fs:delete", files=["copied/dir", "**/*.tmp"]),
        step("write", "roadiehq:utils:fs:write", path="made/${{ parameters.name }}.json", content="${{ parameters }}"),
        step("entity", "catalog:write", entity={"kind": "Component", "metadata": {"name": "${{ parameters.name }}"}}),
    )
    files = {"skeleton/a.txt": "A ${{ 1 + 1 }}", "skeleton/dir/x.txt": "X", "skeleton/dir/y.tmp": "Y"}
    found = texts((await run(path_of(text, files))).files)
    assert found == {
        "z.txt": "A 2",
        "moved/x.txt": "X",
        "copied/a.txt": "A ${{ 1 + 1 }}",
        "single/b.txt": "A ${{ 1 + 1 }}",
        "made/orders.json": '{\n  "name": "orders"\n}',
        "catalog-info.yaml": "kind: Component\nmetadata:\n  name: orders\n",
    }


async def test_each_publishing_step_carries_the_files_as_they_were_then() -> None:
    pull = step(
        "pull",
        "publish:github:pull-request",
        repoUrl="github.com?owner=other&repo=gitops",
        branchName="add",
        title="Add",
        description="d",
        sourcePath="later",
        targetPath="apps/orders",
    )
    text = template(fetch(values={}), PUBLISH, step("more", "fetch:plain", url="./extra", targetPath="later"), pull)
    rendered = await run(path_of(text, {"skeleton/a": "1", "extra/b": "2"}))
    publish, request = rendered.actions
    assert texts(publish.files) == {"a": "1"}
    assert texts(request.files) == {"apps/orders/b": "2"}
    assert request.repository == "other/gitops"
    assert PROVENANCE not in {file.path for file in request.files}


class Entities:
    def __init__(self, known: Mapping[str, Mapping[str, JSON]]) -> None:
        self.known = known

    async def entity(self, reference: str) -> Mapping[str, JSON] | None:
        return self.known.get(reference)


async def test_the_catalog_answers_while_facts_are_read() -> None:
    known = Entities({"group:default/team-orders": {"spec": {"profile": {"email": "orders@acme.example"}}}})
    text = template(
        step("catalog", "catalog:fetch", entityRef="Team-Orders", defaultKind="Group"),
        step("log", "debug:log", message="${{ steps.catalog.output.entity.spec.profile.email }}"),
    )
    [action] = (await run(path_of(text), entities=known)).actions
    assert action.inputs["message"] == "orders@acme.example"


async def test_an_entity_that_is_not_in_the_catalog_is_told_by_its_name() -> None:
    text = template(step("catalog", "catalog:fetch", entityRef="component:default/nope"))
    with pytest.raises(Invalid, match="The catalog has no `component:default/nope`"):
        await run(path_of(text), entities=Entities({}))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "address of a repository"),
        ("..", "cannot be the name"),
        ("a/b", "cannot be the name"),
        ("x" * 101, "cannot be the name"),
        ("käse", "cannot be the name"),
        ("a b", "cannot be the name"),
        ("x.git", "cannot be the name"),
        ("ok&owner=evil/org", "cannot be"),
    ],
)
async def test_a_name_that_no_repository_can_have_is_refused(name: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        await run(path_of(TEXTBOOK), {"name": name})


async def test_a_repository_elsewhere_is_refused() -> None:
    text = template(fetch(values={}), step("publish", "publish:github", repoUrl="evil.example?owner=a&repo=b"))
    with pytest.raises(Invalid, match=r"Repositories live on `github\.com`"):
        await run(path_of(text))


async def test_an_answer_cannot_pretend_to_be_a_late_value() -> None:
    text = template(step("log", "debug:log", message="${{ parameters.name }}"))
    with pytest.raises(Invalid, match="reserved key"):
        await run(path_of(text), {"name": {"$late": [{"effect": "publish", "output": "x"}]}})


async def test_a_link_that_is_no_web_address_is_refused() -> None:
    text = template(step("log", "debug:log"), output={"links": [{"title": "x", "url": "${{ parameters.name }}"}]})
    with pytest.raises(UsageError, match=r"must be an `https://` address"):
        await run(path_of(text), {"name": "javascript:alert(1)"})


async def test_a_skeleton_outside_of_the_golden_paths_is_refused() -> None:
    for url in ("../../etc", "/etc", "file:///etc/passwd", "https://evil.example/x/y"):
        with pytest.raises(Invalid, match=r"leaves the folder|cannot be read from here"):
            await run(path_of(template(fetch(url=url))))


async def test_a_missing_skeleton_is_told_by_its_path() -> None:
    with pytest.raises(Invalid, match=r"There is nothing at `\./nope`"):
        await run(path_of(template(fetch(url="./nope"))))


async def test_a_mistake_names_the_step_the_file_and_the_line() -> None:
    path = path_of(template(fetch(values={})), {"skeleton/src/app.py": "fine\n${{ values.x | nope }}\n"})
    with pytest.raises(Invalid, match=r"steps\.fetch: src/app\.py: line 2: No filter named 'nope'"):
        await run(path)


async def test_links_modes_and_binaries_survive() -> None:
    files: dict[str, str | bytes | File] = {
        "skeleton/run.sh": File("skeleton/run.sh", b"#!/bin/sh\necho ${{ values.name }}\n", "100755"),
        "skeleton/link": File("skeleton/link", b"${{ x }}", "120000"),
        "skeleton/logo.png": b"\x89PNG\0${{ values.name }}",
        "skeleton/latin1.txt": b"caf\xe9 ${{ values.name }}",
    }
    rendered = await run(path_of(template(fetch(values={"name": "n"})), files))
    found = {file.path: (file.mode, file.content) for file in rendered.files}
    assert found["run.sh"] == ("100755", b"#!/bin/sh\necho n\n")
    assert found["link"] == ("120000", b"${{ x }}")
    assert found["logo.png"][1] == b"\x89PNG\0${{ values.name }}"
    assert found["latin1.txt"][1] == b"caf\xe9 ${{ values.name }}"
