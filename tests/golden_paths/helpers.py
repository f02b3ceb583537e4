"""Golden paths made in a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.golden_paths.documents import dump_document
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.sandbox import Limits, Sandbox
from bot.golden_paths.sources import Snapshot, golden_path
from bot.golden_paths.steps import EntityReader, ForgeNames, Rendered, Requester, Runner
from bot.ports import File

TEXTBOOK = """\
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata:
  name: python-service
  title: Python Microservice
spec:
  owner: platform-team
  type: service
  parameters:
    - title: Service Info
      required:
        - name
        - owner
      properties:
        name:
          type: string
        owner:
          type: string
          ui:field: OwnerPicker
  steps:
    - id: fetch
      name: Fetch
      action: fetch:template
      input:
        url: ./skeleton
        values:
          name: ${{ parameters.name }}
    - id: publish
      name: Publish
      action: publish:github
      input:
        repoUrl: github.com?repo=${{ parameters.name }}
"""

SKELETON = {"skeleton/README.md": "# ${{ values.name }}\n"}


def template(*steps: Mapping[str, Any], output: Mapping[str, Any] | None = None, **spec: Any) -> str:
    """Return the text of a template with these steps."""
    document = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "sample", "title": "Sample"},
        "spec": {"owner": "platform", "type": "service", "steps": list(steps), "output": output or {}, **spec},
    }
    return dump_document(document)


def step(identity: str, action: str, **inputs: Any) -> dict[str, Any]:
    return {"id": identity, "action": action, "input": inputs}


def fetch(**inputs: Any) -> dict[str, Any]:
    return step("fetch", "fetch:template", **{"url": "./skeleton", **inputs})


PUBLISH = step("publish", "publish:github", repoUrl="github.com?repo=${{ parameters.name }}")


def path_of(text: str, files: Mapping[str, str | bytes | File] | None = None) -> GoldenPath:
    """Return the golden path of a template's text and the files beside it."""
    tree = {"template.yaml": File("template.yaml", text.encode())}
    for name, content in (files or SKELETON).items():
        match content:
            case File():
                tree[name] = content
            case str():
                tree[name] = File(name, content.encode())
            case bytes():
                tree[name] = File(name, content)
    return golden_path(Snapshot(files=tree), "template.yaml", "folder test")


async def run(
    path: GoldenPath,
    answers: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    entities: EntityReader | None = None,
) -> Rendered:
    """Run a golden path in its own sandbox, as user:default/author in the organisation acme."""
    requester = Requester(ref="user:default/author", entity={"metadata": {"name": "author"}})
    async with Sandbox(limits) as sandbox:
        runner = Runner(sandbox=sandbox, forge=ForgeNames(owner="acme"), entities=entities)
        return await runner.run(path, {"name": "orders"} if answers is None else answers, requester)


def texts(files: Sequence[File]) -> dict[str, str]:
    """Return path → text, without Causeway's own file."""
    return {file.path: file.content.decode() for file in files if not file.path.startswith(".causeway/")}
