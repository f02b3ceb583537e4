"""`/idp catalog`: what the catalog knows, and which of its files are broken."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from bot.catalog.index import Found
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.model.canonical import JSON
from bot.model.entities import KINDS
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape, link

FOUND = 30
BROKEN = 15


class CatalogSearch(BaseModel, frozen=True, extra="forbid"):
    """What to look for."""

    query: str = Field(default="", max_length=200, description="A part of a name; empty for an overview")


def parse(words: Sequence[str]) -> CatalogSearch:
    return CatalogSearch(query=" ".join(words)[:200])


async def answer(request: CatalogSearch, context: Context, deps: Deps) -> Answer:
    """Search by name, or count what there is; broken files are told with their mistakes and hide nothing else."""
    if request.query:
        return _search(request.query, deps)
    index = deps.catalog()
    counts = {kind: len(index.search("", kinds=[kind], limit=10**9)) for kind in KINDS}
    told = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count)
    broken = deps.broken()
    body = [blocks.header("Catalog"), blocks.section(escape(told or "Nothing is known yet."))]
    if broken:
        lines = [f"{code(mistake.path)} {escape(mistake.message)}" for mistake in broken]
        shown = blocks.fold(lines, BROKEN, "… and {} more")
        body += blocks.lines([f"*{len(broken)} broken:* the rest is not touched by it", *shown])
    files = "1 file is broken" if len(broken) == 1 else f"{len(broken)} files are broken"
    text = f"The catalog knows {told or 'nothing yet'}." + (f" {files}." if broken else "")
    mistakes: list[JSON] = [{"path": mistake.path, "message": mistake.message} for mistake in broken]
    kinds: dict[str, JSON] = dict(counts)
    return Answer(text=text, blocks=body, data={"entities": kinds, "broken": mistakes})


def _search(query: str, deps: Deps) -> Answer:
    found = deps.catalog().search(query)
    if not found:
        return Answer(text=f"Nothing in the catalog has “{escape(query)}” in its name.", data=[])
    lines = blocks.fold([_line(one) for one in found], FOUND, "… and {} more: say more of the name")
    text = f"{len(found)} found: {', '.join(one.label for one in found[:10])}"
    return Answer(text=escape(text), blocks=blocks.lines(lines), data=[one.ref for one in found])


def _line(found: Found) -> str:
    name = link(found.web_url, found.label) if found.web_url else f"*{escape(found.label)}*"
    return f"{name} · {escape(found.entity.kind)} · {code(found.ref)}"


QUERY: Query[CatalogSearch] = Query(
    name="catalog",
    summary="Search the catalog; see which files are broken",
    usage="[part of a name]",
    request=CatalogSearch,
    parse=parse,
    answer=answer,
)
