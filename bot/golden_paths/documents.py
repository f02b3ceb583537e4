"""YAML as Backstage reads it (YAML 1.2's core schema, merge keys), bounded in size, depth and expansion."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import yaml

BYTES_MAX = 512 * 1024
"""The largest document, in bytes."""
NODES_MAX = 20_000
"""The most values in a document, counted after its aliases are expanded."""
DEPTH_MAX = 60


class DocumentError(ValueError):
    """The text cannot be taken; the sentence says why."""


class _Loader(yaml.SafeLoader):
    """`yes`, `on`, dates and `012` are texts or plain numbers, as in YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML declares it so

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError(f"Line {key_node.start_mark.line + 1}: a key must be a text.")
            if key_node.value in seen:
                raise DocumentError(f"Line {key_node.start_mark.line + 1}: `{key_node.value[:80]}` is given twice.")
            seen.add(key_node.value)
        found = super().construct_mapping(node, deep)
        return {key if isinstance(key, str) else _key(key): value for key, value in found.items()}


def _key(key: Any) -> str:
    return "null" if key is None else str(key).lower() if isinstance(key, bool) else str(key)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"(?:[-+]?[0-9]{1,400}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300})\Z"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


def _bool(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() == "true"


def _int(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = str(loader.construct_scalar(node))
    value = int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    return value if abs(value) < 2**53 else float(value)


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    value = float(str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise DocumentError(f"Line {node.start_mark.line + 1}: a number must be finite.")
    return value


_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _undefined(_loader: _Loader, node: yaml.Node) -> None:
    raise DocumentError(f"Line {node.start_mark.line + 1}: the tag `{node.tag[:80]}` is not known here.")


_Loader.add_constructor(None, _undefined)
for _tag in ("timestamp", "binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _undefined)


def load_documents(text: str) -> list[Any]:
    """Return the documents of a YAML text as JSON values. Raise `DocumentError` for what is broken or too large."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise DocumentError("A text holds half a Unicode character.") from error
    if size > BYTES_MAX:
        raise DocumentError(f"The file is larger than {BYTES_MAX // 1024} KiB.")
    _check_depth(text)
    loader = _Loader(text)
    documents = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                break
            _expanded(node, {}, set())
            documents.append(loader.construct_document(node))
        json.dumps(documents, ensure_ascii=False).encode()
    except yaml.MarkedYAMLError as error:
        line = f"Line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DocumentError(
            f"{line}this is not YAML: {error.problem or error.context or 'it cannot be read'}."
        ) from error
    except DocumentError:
        raise
    except UnicodeEncodeError as error:
        raise DocumentError("A text holds half a Unicode character.") from error
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise DocumentError("This is not YAML that can be read.") from error
    except RecursionError as error:
        raise DocumentError(f"The file is nested more than {DEPTH_MAX} levels deep.") from error
    finally:
        loader.dispose()
    return [document for document in documents if document is not None]


_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml; it only counts here."""


def _check_depth(text: str) -> None:
    """Walk the events first: composing recurses, and its depth must be known to be small."""
    depth = count = 0
    try:
        for event in yaml.parse(text, Loader=_FAST):
            count += 1
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEPTH_MAX:
                raise DocumentError(f"The file is nested more than {DEPTH_MAX} levels deep.")
            if count > 2 * NODES_MAX:
                raise DocumentError(f"The file holds more than {NODES_MAX:,} values.")
    except yaml.MarkedYAMLError as error:
        line = f"Line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DocumentError(
            f"{line}this is not YAML: {error.problem or error.context or 'it cannot be read'}."
        ) from error
    except yaml.YAMLError as error:
        raise DocumentError("The file holds characters that YAML does not allow.") from error
    except RecursionError as error:
        raise DocumentError(f"The file is nested more than {DEPTH_MAX} levels deep.") from error


def _expanded(node: yaml.Node, sizes: dict[int, int], open_nodes: set[int]) -> int:
    """Return how many values a node holds with its aliases expanded."""
    key = id(node)
    if key in open_nodes:
        raise DocumentError("An alias holds itself.")
    if key not in sizes:
        open_nodes.add(key)
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes[key] = 1 + sum(_expanded(child, sizes, open_nodes) for child in children)
        open_nodes.discard(key)
    if sizes[key] > NODES_MAX:
        raise DocumentError(f"The file holds more than {NODES_MAX:,} values once its aliases are expanded.")
    return sizes[key]


class _Dumper(yaml.SafeDumper):
    """Writes lists indented and shared values out in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent(dumper: _Dumper, value: Any) -> yaml.Node:
    return dumper.represent_dict(value) if isinstance(value, dict) else dumper.represent_list(value)


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    """Quote what one of the two YAML versions would not read as this text."""
    patterns = _Loader.yaml_implicit_resolvers.get(text[:1], [])
    unclear = any(pattern.match(text) for _, pattern in patterns) or not _LINE_ENDS.isdisjoint(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if unclear else None)


_LINE_ENDS = frozenset("\x85\u2028\u2029\ufeff")
"""Characters that are line ends in YAML 1.1 only, and the byte order mark."""

_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(dict, _represent)
_Dumper.add_multi_representer(list, _represent)


def dump_document(value: Any) -> str:
    """Return a JSON value as YAML, keys in their order."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))
