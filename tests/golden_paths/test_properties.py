"""Whatever a template, a skeleton or an answer holds: a result inside the tree, or one sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Invalid, PlatformError
from bot.golden_paths.child import Pipe, answer
from bot.golden_paths.documents import dump_document, load_documents
from bot.golden_paths.evaluation import Evaluator
from bot.golden_paths.faults import Fault
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.steps import ForgeNames, Requester, Runner
from bot.golden_paths.template import read_template, steps_as_written
from bot.golden_paths.tree import PLAIN, Entry
from bot.golden_paths.values import wrap
from bot.golden_paths.wire import HEAD, Contents, Message, entries, unpacked
from tests.fuzz import examples
from tests.golden_paths.helpers import PUBLISH, TEXTBOOK, fetch, path_of, template

HOSTILE = st.sampled_from(
    [
        "../../etc/passwd",
        "/etc/passwd",
        ".git/hooks/pre-commit",
        "a/../..",
        "..",
        ".",
        "a\nb: c",
        "- x\n- y",
        "{{ x }}",
        "${{ secrets.X }}",
        "{% raw %}",
        "'; rm -rf /",
        "\u202egnp.exe",
        "\u200b",
        "🧀" * 50,
        "x" * 10_000,
        "con",
        "NUL.txt",
        "a\0b",
        "\ud800",
        "&a [*a]",
        "!!python/none",
        "<!channel>",
        "*bold* <https://x|y>",
        "\\..\\..",
        "%2e%2e/",
        "ａ",
        "a" * 300,
        "",
        " ",
        "null",
        "true",
        "0",
        "$late",
        "__proto__",
    ]
)
TEXT = st.one_of(HOSTILE, st.text(max_size=60))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
SYNTAX = st.lists(
    st.sampled_from(
        [
            "${{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            " ",
            "if",
            "for",
            "in",
            "set",
            "endif",
            "endfor",
            "else",
            "elif",
            "elseif",
            "macro",
            "raw",
            "endraw",
            "values",
            "values.name",
            "steps",
            "parameters",
            ".",
            "[",
            "]",
            "(",
            ")",
            "|",
            "dump",
            "join",
            "=",
            "==",
            "===",
            "!==",
            "+",
            "-",
            "*",
            "/",
            "**",
            "~",
            "'",
            '"',
            "a",
            "1",
            "1.5",
            "none",
            "true",
            ",",
            ":",
            "{",
            "}",
            "\n",
            "\r\n",
            "\\",
            "is",
            "not",
            "and",
            "defined",
            "loop.index",
        ]
    ),
    max_size=25,
).map("".join)

SKELETON = {
    "${{ values.name }}/${{ values.other }}.txt": "${{ values.name }} ${{ values.other | dump }}",
    "plain.yaml": "name: ${{ values.name | dump }}\nother: ${{ values.other }}\n",
    ".github/workflows/ci.yml": "${{ secrets.X }} ${{ values.name }}",
}


def refusal(call: Callable[[], object]) -> str:
    """Return the sentence with which something is refused; a full stop when it is not."""
    try:
        call()
    except Fault as fault:
        return fault.message
    except Invalid as error:
        return str(error.mistakes[0])
    return "."


class Answers(Pipe):
    """The bot's side of the pipe: every fetch gets the same files."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(io.BytesIO(), io.BytesIO())
        self.files = {path: Entry(PLAIN, text.encode("utf-8", "surrogatepass")) for path, text in files.items()}

    def ask(self, question: Message) -> tuple[Message, dict[str, Entry]]:
        return {}, self.files


def done(text: str, files: dict[str, str], parameters: dict[str, Any]) -> tuple[Message, list[bytes]]:
    """Run a template in this process, as the child would."""
    job: Message = {
        "job": "run",
        "steps": steps_as_written(read_template(text)),
        "output": {},
        "parameters": parameters,
        "user": {"ref": "user:default/x", "entity": {}},
        "context": {"task": {"id": ""}},
        "forge": {"owner": "acme", "host": "github.com", "web_url": "https://github.com", "default_branch": "main"},
        "limits": {"max_files": 100, "max_bytes": 1_000_000},
    }
    frame = answer(job, [], Answers(files))
    length, _ = HEAD.unpack(frame[: HEAD.size])
    return unpacked(frame[HEAD.size : HEAD.size + length], frame[HEAD.size + length :])


def assert_sound(message: Message, contents: list[bytes]) -> None:
    assert "defect" not in message, message["defect"]
    if "fault" in message:
        assert message["fault"]["message"].endswith((".", "?", "!"))
        assert "Traceback" not in message["fault"]["message"]
        return
    for path in entries(message["files"], contents):
        parts = path.split("/")
        assert not path.startswith("/")
        assert all(part not in ("", ".", "..") and part.casefold() != ".git" for part in parts)
        assert path.encode()
        assert "\n" not in path
        assert "\u202e" not in path


RENDERED = template(
    fetch(values={"name": "${{ parameters.name }}", "other": "${{ parameters.other }}"}),
    PUBLISH | {"if": "${{ parameters.publish }}"},
)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=JSON, other=JSON)
def test_no_answer_leaves_the_tree_or_ends_in_a_defect(name: Any, other: Any) -> None:
    assert_sound(*done(RENDERED, SKELETON, {"name": name, "other": other, "publish": True}))


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=SYNTAX, path=SYNTAX.filter(bool), name=TEXT)
def test_no_skeleton_ends_in_a_defect(content: str, path: str, name: str) -> None:
    assert_sound(*done(RENDERED, {path: content, "b": content}, {"name": name, "other": 1}))


@settings(max_examples=examples(500), deadline=None)
@given(source=SYNTAX)
def test_no_expression_ends_in_a_defect(source: str) -> None:
    scope = {"parameters": wrap({"name": "x"}), "values": wrap({"name": ["x"]}), "steps": wrap({})}
    assert refusal(lambda: Evaluator("acme").value(source, scope, "here")).endswith((".", "?", "!"))


@settings(max_examples=examples(300), deadline=None)
@given(text=st.one_of(st.text(max_size=300), SYNTAX))
def test_no_text_breaks_the_reader_of_templates(text: str) -> None:
    assert refusal(lambda: read_template(text))


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data())
def test_no_change_of_a_template_breaks_its_reader(data: st.DataObject) -> None:
    lines = TEXTBOOK.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition(":")[0]
        lines[at] = data.draw(
            st.sampled_from(["", f"{key}: 5\n", f"{key}: []\n"])
            | SYNTAX.map(lambda text: f"{text}\n")
            | TEXT.map(partial("{}: {}\n".format, key))
        )
    assert refusal(lambda: read_template("".join(lines)))


WRITABLE = st.text(st.characters(codec="utf-8"), max_size=30) | HOSTILE.filter(str.isprintable)
STORED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WRITABLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WRITABLE, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(300), deadline=None)
@given(document=st.dictionaries(WRITABLE, STORED, min_size=1, max_size=4))
def test_what_is_written_as_yaml_is_read_back(document: dict[str, Any]) -> None:
    assert load_documents(dump_document(document)) == [document]
    assert yaml.safe_load(dump_document(document)) == document


async def test_hostile_answers_end_in_a_sentence_through_the_real_child() -> None:
    path = path_of(RENDERED, {f"skeleton/{name}": text for name, text in SKELETON.items()})
    async with Sandbox() as sandbox:
        runner = Runner(sandbox=sandbox, forge=ForgeNames(owner="acme"))
        for name in ("../../x", "\u202ex", "\ud800", "x" * 10_000, "a\nb", "x" * 2_000_000, "🧀", ".git"):
            told, paths = "", []
            try:
                rendered = await runner.run(path, {"name": name, "other": "o"}, Requester(ref="user:default/x"))
                paths = [file.path for file in rendered.files]
            except PlatformError as error:
                told = str(error)
            assert bool(told) is (name != "🧀")
            assert len(told) < 600
            assert "Traceback" not in told
            assert all(".." not in path for path in paths)


def test_a_frame_carries_equal_contents_once() -> None:
    contents = Contents()
    files = {"a": Entry(PLAIN, b"same"), "b": Entry(PLAIN, b"same"), "c": Entry(PLAIN, b"")}
    frame = contents.frame({"files": contents.files(files)})
    length, size = HEAD.unpack(frame[: HEAD.size])
    message, parts = unpacked(frame[HEAD.size : HEAD.size + length], frame[HEAD.size + length :])
    assert (size, entries(message["files"], parts)) == (4, files)
