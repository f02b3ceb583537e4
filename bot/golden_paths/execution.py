"""Runs the steps of a template in the child: files are made, everything else becomes a planned action.

Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.golden_paths.actions import ACTIONS, FILES_OF, Runs
from bot.golden_paths.evaluation import ABSENT, Evaluator, holds_late, plain
from bot.golden_paths.faults import Fault
from bot.golden_paths.filesteps import FileSteps
from bot.golden_paths.filters import parse_repo_url
from bot.golden_paths.tree import Entry, Workspace, folder_path
from bot.golden_paths.values import LateValue, Missing, truthy, wrap
from bot.golden_paths.wire import Contents, Message

Ask = Callable[[Message], tuple[Message, dict[str, Entry]]]
"""Asks the bot for something from outside: a folder of files, catalog entities."""

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")

EACH_MAX = 100
"""The most times that one `each` step may run."""


class Execution:
    """One run of one template's steps."""

    def __init__(self, job: Message, ask: Ask) -> None:
        self._job = job
        self._forge: Message = job["forge"]
        self._evaluate = Evaluator(self._forge["owner"])
        self._steps: dict[str, Any] = {}
        self._actions: list[Message] = []
        self._published: dict[str, dict[str, Entry]] = {}
        self._notes: list[str] = []
        self._contents = Contents()
        limits = job["limits"]
        self._workspace = Workspace(limits["max_files"], limits["max_bytes"])
        self._files = FileSteps(self._workspace, ask, self._forge["owner"], limits["max_bytes"])
        self._ask = ask

    def result(self) -> bytes:
        """Run everything and return the frame with what it came to. Raise `Fault` for a mistake."""
        for step in self._job["steps"]:
            self._run_step(step)
        output = self._evaluate.value(self._output(), self._scope(), "output")
        files = self._contents.files(self._workspace.snapshot())
        message = {
            "files": files, "actions": self._actions, "notes": self._notes,
            "output": plain({} if output is ABSENT else output, "output"),
        }  # fmt: skip
        return self._contents.frame(message)

    def _output(self) -> Message:
        """Return the template's output without the items whose `if` is not true."""
        scope = self._scope()

        def shown(items: Any) -> Any:
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                return items
            wanted = [item for item in items if self._wanted(item, scope, "output")]
            return [{key: value for key, value in item.items() if key != "if"} for item in wanted]

        return {kind: shown(items) for kind, items in self._job["output"].items()}

    def _scope(self, each: Mapping[str, Any] | None = None) -> dict[str, Any]:
        scope = {
            "parameters": self._job["parameters"], "user": self._job["user"], "context": self._job["context"],
            "steps": self._steps,
        }  # fmt: skip
        return {name: wrap(value) for name, value in ({**scope, "each": each} if each else scope).items()}

    def _run_step(self, step: Message) -> None:
        where, per_item = f"steps.{step['id']}", "each" in step
        try:
            if not (per_item and "each." in str(step.get("if"))) and not self._wanted(step, self._scope(), where):
                self._notes.append(f"Step {step['name']} was skipped: its `if` is not true.")
                return
            if not per_item:
                outputs = self._run_once(step, step["id"], self._scope())
                self._steps[step["id"]] = {"output": wrap(outputs)}
                return
            self._run_each(step)
        except Fault as fault:
            raise (fault if fault.where.startswith(where) else fault.at(where)) from fault

    def _run_each(self, step: Message) -> None:
        collected: dict[str, list[Any]] = {}
        for number, each in enumerate(self._items(step), start=1):
            scope = self._scope(each)
            if self._wanted(step, scope, f"steps.{step['id']}"):
                for name, value in self._run_once(step, self._unused(f"{step['id']}-{number}"), scope).items():
                    collected.setdefault(name, []).append(value)
        self._steps[step["id"]] = {"output": wrap(collected)}

    def _unused(self, wanted: str) -> str:
        taken = {step["id"] for step in self._job["steps"]}
        while wanted in taken:
            wanted += "x"
        return wanted

    def _items(self, step: Message) -> Iterator[Mapping[str, Any]]:
        items = self._evaluate.value(step["each"], self._scope(), f"steps.{step['id']}.each")
        if isinstance(items, list):
            items = {str(index): item for index, item in enumerate(items)}
        if items is ABSENT or items is None:
            items = {}
        if not isinstance(items, dict):
            raise Fault("`each` needs a list or an object.", where=f"steps.{step['id']}.each")
        if len(items) > EACH_MAX:
            raise Fault(f"`each` has more than {EACH_MAX} items.", where=f"steps.{step['id']}.each")
        return ({"key": key, "value": value} for key, value in items.items())

    def _wanted(self, item: Message, scope: Mapping[str, Any], where: str) -> bool:
        condition = item.get("if", True)
        if isinstance(condition, str):
            condition = self._evaluate.value(condition, scope, f"{where}.if")
            return condition is not ABSENT and truthy(condition)
        return condition is not False

    def _run_once(self, step: Message, effect: str, scope: Mapping[str, Any]) -> dict[str, Any]:
        where = f"steps.{step['id']}.input"
        inputs = self._evaluate.value(step["input"], scope, where)
        action = ACTIONS[step["action"]]
        for group in action.needs:
            if not any(inputs.get(name) not in (None, "") for name in group):
                raise Fault(f"`{' or '.join(group)}` came out empty.", where=where)
        if action.runs is Runs.LATER:
            return self._plan(step, effect, inputs)
        late = holds_late(inputs)
        if late is not None:
            raise late.refuse().at(where)
        if step["action"] == "catalog:fetch":
            return self._catalog(inputs)
        return self._files.run(step["action"], inputs)

    def _plan(self, step: Message, effect: str, inputs: dict[str, Any]) -> dict[str, Any]:
        name = step["action"]
        planned: Message = {"id": effect, "step": step["id"], "name": step["name"], "action": name}
        outputs: dict[str, Any] = {output: LateValue(effect, output) for output in ACTIONS[name].late}
        if "repoUrl" in inputs:
            planned["repository"] = self._repository(inputs["repoUrl"])
            if "remoteUrl" not in outputs:
                outputs |= self._repository_outputs(planned["repository"], inputs)
        if name in FILES_OF:
            files = self._carried(name, inputs)
            planned["files"] = self._contents.files(files)
            self._published[f"{self._forge['web_url']}/{planned['repository']}/".casefold()] = files
        if name == "catalog:register":
            outputs |= self._registered(effect, inputs)
        planned["inputs"] = plain(inputs, f"steps.{step['id']}.input")
        planned["outputs"] = plain({k: v for k, v in outputs.items() if not isinstance(v, LateValue)}, effect)
        self._actions.append(planned)
        return outputs

    def _repository(self, url: Any) -> str:
        if not isinstance(url, str):
            raise Fault("`repoUrl` must be known before anything runs.")
        parts = parse_repo_url(url, self._forge["owner"])
        if parts["host"].casefold() != self._forge["host"].casefold():
            raise Fault(f"Repositories live on `{self._forge['host']}`, not on `{parts['host'][:80]}`.")
        if not _OWNER.fullmatch(parts["owner"]):
            raise Fault(f"`{parts['owner'][:80]}` cannot be the name of an organisation.")
        name = parts["repo"]
        if not _REPOSITORY.fullmatch(name) or name in (".", "..") or name.casefold().endswith((".git", ".wiki")):
            raise Fault(
                f"`{name[:80]}` cannot be the name of a repository.",
                hint="Use at most 100 letters, digits, `-`, `_` and `.`.",
            )
        return f"{parts['owner']}/{name}"

    def _repository_outputs(self, repository: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        branch = inputs.get("defaultBranch") or self._forge["default_branch"]
        base = f"{self._forge['web_url']}/{repository}"
        return {"remoteUrl": f"{base}.git", "repoContentsUrl": f"{base}/blob/{branch}"}

    def _carried(self, name: str, inputs: Mapping[str, Any]) -> dict[str, Entry]:
        source = folder_path(str(inputs.get("sourcePath") or ""))
        target = folder_path(str(inputs.get("targetPath") or "")) if name.endswith("pull-request") else ""
        if not source and target and name.endswith("pull-request"):
            source = target if any(True for _ in self._workspace.below(target)) else ""
        files = self._workspace.snapshot(source, target)
        if not files:
            raise Fault("There is no file to publish: no earlier step made one there.")
        return files

    def _registered(self, effect: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        url: Any = inputs.get("catalogInfoUrl")
        if not url:
            contents = inputs.get("repoContentsUrl")
            if not isinstance(contents, str):
                raise Fault("`repoContentsUrl` must be known before anything runs.")
            path = str(inputs.get("catalogInfoPath") or "/catalog-info.yaml")
            url = f"{contents.rstrip('/')}/{path.lstrip('/')}"
        reference = self._entity_reference(url) if isinstance(url, str) else None
        return {"catalogInfoUrl": url, "entityRef": reference or LateValue(effect, "entityRef")}

    def _entity_reference(self, url: str) -> str | None:
        """Return the reference of the first entity in the file that this template makes at `url`."""
        for base, files in self._published.items():
            if url.casefold().startswith(base):
                kind, _, rest = url[len(base) :].partition("/")
                path = rest.partition("/")[2] if kind in ("blob", "tree") else ""
                if path in files:
                    return _first_entity(files[path].content)
        return None

    def _catalog(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        many = "entityRefs" in inputs
        references = inputs["entityRefs"] if many else [inputs["entityRef"]]
        if not isinstance(references, list) or not all(isinstance(item, str) for item in references):
            raise Fault("`entityRefs` must be a list of entity references.")
        defaults = {key: inputs.get(key) for key in ("defaultKind", "defaultNamespace")}
        answer, _ = self._ask({"ask": "entities", "references": references, **defaults})
        found = answer["entities"]
        if not inputs.get("optional"):
            for reference, entity in zip(references, found, strict=True):
                if entity is None:
                    raise Fault(f"The catalog has no `{reference[:100]}`.")
        if many:
            return {"entities": found}
        return {"entity": found[0] if found[0] is not None else Missing(name="entity")}


def _first_entity(content: bytes) -> str | None:
    from bot.golden_paths.documents import load_documents  # noqa: PLC0415 - PyYAML costs start-up that few runs need

    try:
        documents = load_documents(content.decode())
    except (ValueError, UnicodeDecodeError):
        return None
    match documents:
        case [{"kind": str(kind), "metadata": {"name": str(name)} as metadata}, *_]:
            namespace = metadata.get("namespace") or "default"
            return f"{kind}:{namespace}/{name}".lower()
        case _:
            return None
