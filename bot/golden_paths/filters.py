"""The filters of nunjucks 3.2 and of Backstage, with JavaScript's results.

`random`, `urlize` and filters of a company's own Backstage are absent on purpose: a plan must come out the same twice,
and an unknown filter is refused by its name. Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from bot.golden_paths.faults import Fault
from bot.golden_paths.values import JsDict, LateValue, Missing, concatenated, dumped, number, printed, wrap

Filter = Callable[..., Any]

TEXT_MAX = 16 * 1024 * 1024
"""The longest text an expression may make, in characters."""

_ESCAPES = str.maketrans({"&": "&amp;", '"': "&quot;", "'": "&#39;", "<": "&lt;", ">": "&gt;", "\\": "&#92;"})
_UNRESERVED = "-_.!~*'()"
_TAGS = re.compile(r"</?([a-z][a-z0-9]*)\b[^>]*>|<!--[\s\S]*?-->", re.IGNORECASE)
_BLANKS = " \t\n\r\v\f\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def text_of(value: Any) -> str:
    """Return the text that nunjucks' text filters work on: nothing for null, undefined and false."""
    return "" if value is False else printed(value)


def bounded(length: float) -> int:
    """Return a wanted length as a whole number. Raise `Fault` when the text would be longer than any file may be."""
    if not length <= TEXT_MAX:
        raise Fault(f"An expression asks for a text longer than {TEXT_MAX:,} characters.")
    return max(0, math.ceil(length))


def _items(value: Any, name: str) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        return list(value)
    raise Fault(f"The filter `{name}` needs a list, and got {_kind(value)}.")


def _kind(value: Any) -> str:
    names = {bool: "a yes or no", int: "a number", float: "a number", str: "a text", JsDict: "an object"}
    return "nothing" if value is None or isinstance(value, Missing) else names.get(type(value), "something else")


def member(value: Any, path: Any) -> Any:
    """Return `value[a][b]` for `a.b` (lodash's `get`); `Missing` where there is none."""
    for part in str(path).replace("[", ".").replace("]", "").split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return Missing(name=str(path))
    return value


# --- Text ------------------------------------------------------------------------------------------------------------


def capitalize(value: Any) -> str:
    text = text_of(value).lower()
    return text[:1].upper() + text[1:]


def title(value: Any) -> str:
    return " ".join(capitalize(word) for word in text_of(value).split(" "))


def trim(value: Any) -> str:
    return text_of(value).strip(_BLANKS)


def center(value: Any, width: Any = 80) -> str:
    text = text_of(value)
    spaces = bounded(width or 80) - len(text)
    if spaces <= 0:
        return text
    return " " * math.ceil(spaces / 2 - spaces % 2) + text + " " * math.ceil(spaces / 2)


def indent(value: Any, width: Any = 4, first: Any = False) -> str:
    text = text_of(value)
    if not text:
        return ""
    lines = text.split("\n")
    blanks = " " * bounded(width or 4)
    bounded(len(text) + len(lines) * len(blanks))
    return "\n".join(line if i == 0 and not first else blanks + line for i, line in enumerate(lines))


def replace(value: Any, old: Any, new: Any = "", count: Any = -1) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if isinstance(old, bool) or not isinstance(old, str | int | float):
        return value
    text, what, by = printed(value), printed(old), concatenated(new)
    bounded(len(text) + (text.count(what) + 1) * len(by))
    if what == "":
        return by + by.join(text) + by
    return value if what not in text else text.replace(what, by, int(count))


def truncate(value: Any, length: Any = 255, kill_words: Any = False, end: Any = None) -> str:
    text, length = text_of(value), bounded(length or 255)
    if len(text) <= length:
        return text
    cut = length if kill_words else text.rfind(" ", 0, length + 1)
    return text[: bounded(length if cut == -1 else cut)] + ("..." if end is None else printed(end))


def striptags(value: Any, keep_lines: Any = False) -> str:
    text = trim(_TAGS.sub("", text_of(value)))
    if not keep_lines:
        return re.sub(r"\s+", " ", text)
    text = re.sub(r"^ +| +$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n\n\n+", "\n\n", re.sub(" +", " ", text).replace("\r\n", "\n"))


def urlencode(value: Any) -> str:
    if isinstance(value, str):
        return quote(value, safe=_UNRESERVED)
    pairs = list(value.items()) if isinstance(value, dict) else [tuple(pair) for pair in _items(value, "urlencode")]
    return "&".join(f"{quote(printed(k), safe=_UNRESERVED)}={quote(printed(v), safe=_UNRESERVED)}" for k, v in pairs)


def wordcount(value: Any) -> int | None:
    return len(re.findall(r"[A-Za-z0-9_]+", text_of(value))) or None


def escape(value: Any) -> str:
    return printed(value).translate(_ESCAPES)


def nl2br(value: Any) -> str:
    return re.sub(r"\r?\n", "<br />\n", printed(value))


# --- Numbers ---------------------------------------------------------------------------------------------------------


def _parse_float(value: Any, default: Any = None) -> Any:
    found = re.match(r"\s*([+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))", printed(value))
    return number(float(found[1])) if found else default


def _parse_int(value: Any, default: Any = None, base: Any = 10) -> Any:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[: int(base)]
    found = re.match(rf"\s*([+-]?[{digits}]{{1,400}})", printed(value), re.IGNORECASE)
    return number(int(found[1], int(base))) if found else default


def rounded(value: Any, precision: Any = 0, method: Any = "common") -> Any:
    factor = 10.0 ** int(precision or 0)
    scaled = float(value) * factor
    whole = {"ceil": math.ceil, "floor": math.floor}.get(str(method), lambda x: math.floor(x + 0.5))(scaled)
    return number(whole / factor)


# --- Lists and objects -----------------------------------------------------------------------------------------------


def join(value: Any, by: Any = "", attribute: Any = None) -> str:
    items = _items(value, "join")
    if attribute:
        items = [member(item, attribute) for item in items]
    texts = [printed(item) for item in items]
    separator = printed(by or "")
    bounded(sum(map(len, texts)) + len(texts) * len(separator))
    return separator.join(texts)


def length(value: Any) -> int | None:
    """Return the number of items, or of a text's UTF-16 units, which is what JavaScript counts."""
    if isinstance(value, str):
        return len(value) + sum(char > "\uffff" for char in value)
    if isinstance(value, list | tuple | dict):
        return len(value)
    return 0 if value is None or value is False or isinstance(value, Missing) else None


def listed(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"key": key, "value": item} for key, item in value.items()]
    return _items(value, "list")


def first(value: Any) -> Any:
    items = _items(value, "first")
    return items[0] if items else Missing(name="first")


def last(value: Any) -> Any:
    items = _items(value, "last")
    return items[-1] if items else Missing(name="last")


def batch(value: Any, size: Any, fill: Any = None) -> list[Any]:
    items, size = _items(value, "batch"), max(1, bounded(size))
    rows = [items[start : start + size] for start in range(0, len(items), size)]
    if rows and fill:
        rows[-1] += [fill] * (size - len(rows[-1]))
    return rows


def slices(value: Any, count: Any, fill: Any = None) -> list[Any]:
    items, count = _items(value, "slice"), max(1, bounded(count))
    size, extra = divmod(len(items), count)
    rows, start = [], 0
    for i in range(min(count, 10_000)):
        end = start + size + (1 if i < extra else 0)
        rows.append(items[start:end] + ([fill] if fill and i >= extra else []))
        start = end
    return rows


def reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else list(reversed(_items(value, "reverse")))


def dictsort(value: Any, case_sensitive: Any = False, by: Any = "key") -> list[Any]:
    if not isinstance(value, dict):
        raise Fault(f"The filter `dictsort` needs an object, and got {_kind(value)}.")
    index = 1 if by == "value" else 0

    def key(pair: tuple[str, Any]) -> Any:
        part = pair[index]
        return part.upper() if isinstance(part, str) and not case_sensitive else part

    return [list(pair) for pair in sorted(value.items(), key=key)]


def sort(value: Any, reverse: Any = False, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    def key(item: Any) -> Any:
        part = member(item, attribute) if attribute else item
        return part.lower() if isinstance(part, str) and not case_sensitive else part

    return sorted(_items(value, "sort"), key=key, reverse=bool(reverse))


def groupby(value: Any, attribute: Any) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for item in _items(value, "groupby"):
        groups.setdefault(concatenated(member(item, attribute)), []).append(item)
    return groups


def total(value: Any, attribute: Any = None, start: Any = 0) -> Any:
    items = _items(value, "sum")
    return number(start + sum(member(item, attribute) if attribute else item for item in items))


def selectattr(value: Any, attribute: Any) -> list[Any]:
    return [item for item in _items(value, "selectattr") if member(item, attribute)]


def rejectattr(value: Any, attribute: Any) -> list[Any]:
    return [item for item in _items(value, "rejectattr") if not member(item, attribute)]


# --- Backstage -------------------------------------------------------------------------------------------------------


def parse_entity_ref(value: Any, defaults: Any = None) -> dict[str, str]:
    """Return `{kind, namespace, name}` of `kind:namespace/name`. Raise `Fault` when no kind is given or defaulted."""
    reference = text_of(value)
    found = re.fullmatch(r"(?:([^:/]+):)?(?:([^:/]+)/)?([^:/]+)", reference)
    fallback = defaults if isinstance(defaults, dict) else {}
    kind = (found and found[1]) or text_of(fallback.get("defaultKind"))
    if found is None or not kind:
        raise Fault(f"`{reference[:100]}` is not a full entity reference.", hint="Write it as `kind:namespace/name`.")
    namespace = found[2] or text_of(fallback.get("defaultNamespace")) or "default"
    return {"kind": kind, "namespace": namespace, "name": found[3]}


def repository_filters(owner: str) -> Mapping[str, Filter]:
    """Return `parseRepoUrl` and `projectSlug`; `owner` is the organisation of a URL that names none."""

    def parse(value: Any) -> dict[str, str]:
        return parse_repo_url(text_of(value), owner)

    def slug(value: Any) -> str:
        parts = parse(value)
        return f"{parts['owner']}/{parts['repo']}"

    return {"parseRepoUrl": parse, "projectSlug": slug}


def parse_repo_url(value: str, owner: str) -> dict[str, str]:
    """Read `github.com?owner=acme&repo=orders`. Raise `Fault` when host, owner or repository is missing."""
    try:
        url = urlsplit(value if "://" in value else f"https://{value}")
        query = {key: found[0] for key, found in parse_qs(url.query).items()}
        host = url.netloc
    except ValueError:
        query, host = {}, ""
    parts = {"host": host, "owner": query.get("owner") or owner, "repo": query.get("repo", "")}
    if not all(parts.values()):
        raise Fault(
            f"`{value[:200]}` is not the address of a repository.",
            hint="Write it as `github.com?owner=acme&repo=orders`.",
        )
    extra = {key: query[key] for key in ("organization", "workspace", "project") if key in query}
    return parts | extra


def _default(value: Any, otherwise: Any = "", falsy: Any = False) -> Any:
    if falsy:
        return value or otherwise
    return otherwise if isinstance(value, Missing) else value


def _plain_filters() -> dict[str, Filter]:
    texts: dict[str, Filter] = {
        "capitalize": capitalize, "title": title, "trim": trim, "center": center, "indent": indent,
        "replace": replace, "truncate": truncate, "striptags": striptags, "urlencode": urlencode,
        "wordcount": wordcount, "escape": escape, "e": escape, "forceescape": escape, "nl2br": nl2br,
        "safe": printed, "string": lambda value: value,
        "lower": lambda value: text_of(value).lower(), "upper": lambda value: text_of(value).upper(),
    }  # fmt: skip
    numbers: dict[str, Filter] = {
        "abs": abs, "float": _parse_float, "int": _parse_int, "round": rounded, "sum": total,
    }  # fmt: skip
    lists: dict[str, Filter] = {
        "join": join, "length": length, "list": listed, "first": first, "last": last, "batch": batch,
        "slice": slices, "reverse": reverse, "dictsort": dictsort, "sort": sort, "groupby": groupby,
        "selectattr": selectattr, "rejectattr": rejectattr,
    }  # fmt: skip
    backstage: dict[str, Filter] = {
        "dump": dumped, "jsonify": dumped, "pick": member, "parseEntityRef": parse_entity_ref,
        "default": _default, "d": _default,
    }  # fmt: skip
    return {**texts, **numbers, **lists, **backstage}


def _late_passes(name: str, function: Filter) -> Filter:
    """Return the filter with its result in JavaScript's types; a value that is not known yet is refused."""

    def filtered(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, LateValue):
            raise value.refuse()
        try:
            return wrap(function(value, *args, **kwargs))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Fault(f"The filter `{name}` cannot work on {_kind(value)} with these arguments.") from error

    return filtered


def filters(owner: str) -> dict[str, Filter]:
    """Return every filter a template may use, by name."""
    known = {**_plain_filters(), **repository_filters(owner)}
    return {name: _late_passes(name, function) for name, function in known.items()}


NAMES = frozenset(filters("")) | {"select", "reject"}
"""Every filter that is known; `select` and `reject` are Jinja's own, which call the tests."""

__all__ = ["NAMES", "TEXT_MAX", "bounded", "filters", "member", "parse_repo_url", "text_of"]
