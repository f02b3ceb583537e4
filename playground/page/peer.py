"""The playground's web page: static files, what the page has to know, and the playground's clock.

    GET  /              the page; /static/… its scripts and styles
    GET  /config.json   {"slack": URL, "github": URL, …, "commands": [{command, usage_hint, description}],
                         "people": [{handle, id, name, note}]}
    GET  /sim/clock     {"now": ISO 8601, "offset_s": seconds, "version": N}; with ?after=N&timeout_s=S it waits for
                        a version beyond N
    POST /sim/clock     {"advance": "36h"} moves time forward and answers the same
    GET  /sim/ready     what the playground printed when it was ready: addresses, settings and tokens, for programs

A wrong question is answered with status 400 and {"error": a sentence}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from playground.clock import PlaygroundClock
from playground.page.people import people

STATIC = Path(__file__).parent / "static"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST_STEP = timedelta(days=3650)
LONGEST_WAIT_S = 60.0
OURSELVES = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names by which this machine calls itself: another name would be a page that has had itself resolved to here."""


class PagePeer:
    """Serve the page. `config` is asked at each load, because peers learn their ports only when they listen."""

    name = "page"

    def __init__(
        self,
        *,
        clock: PlaygroundClock,
        config: Callable[[], dict[str, object]],
        ready: Callable[[], dict[str, object]] = dict,
    ) -> None:
        self._clock = clock
        self._config = config
        self._ready = ready

    def application(self) -> web.Application:
        """Return the application that serves the page and the clock."""
        application = web.Application(client_max_size=16 * 1024)
        application.router.add_get("/", self._page)
        application.router.add_get("/config.json", self._send_config)
        application.router.add_get("/sim/clock", self._read_clock)
        application.router.add_post("/sim/clock", self._advance_clock)
        application.router.add_get("/sim/ready", self._send_ready)
        application.router.add_static("/static", STATIC)
        application.on_response_prepare.append(self._protect)
        application.on_shutdown.append(self._let_go)
        return application

    async def start(self) -> None:
        """Do nothing: the page keeps nothing of its own."""

    async def close(self) -> None:
        """Do nothing: the page has no background work."""

    async def _let_go(self, _: web.Application) -> None:
        await self._clock.let_go()

    async def _page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _send_config(self, _: web.Request) -> web.Response:
        return web.json_response({"people": people(), **self._config()})

    async def _send_ready(self, request: web.Request) -> web.Response:
        if "Origin" in request.headers or urlsplit(f"//{request.host}").hostname not in OURSELVES:
            return refusal("Only programs on this machine are told the playground's tokens.", status=403)
        return web.json_response(self._ready())

    async def _read_clock(self, request: web.Request) -> web.Response:
        after = request.query.get("after")
        if after is None:
            return web.json_response(self._clock.state)
        try:
            version, timeout_s = int(after), float(request.query.get("timeout_s", "25"))
        except ValueError:
            return refusal("`after` has to be a whole number and `timeout_s` a number of seconds.")
        if not 0 <= timeout_s <= LONGEST_WAIT_S:
            return refusal(f"`timeout_s` has to lie between 0 and {LONGEST_WAIT_S:.0f} seconds.")
        return web.json_response(await self._clock.follow(version, timeout_s))

    async def _advance_clock(self, request: web.Request) -> web.Response:
        if not is_own_page(request):
            return refusal("Only the playground's own page and programs on this machine move its clock.", status=403)
        try:
            step = parse_step(json.loads(await request.text()))
        except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors too
            return refusal(str(error) if isinstance(error, StepError) else "The body has to be JSON.")
        try:
            await self._clock.advance(step)
        except OverflowError:
            return refusal("The playground's clock cannot go that far into the future.")
        return web.json_response(self._clock.state)

    async def _protect(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = content_security_policy(self._config())
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"  # a new release must not meet yesterday's scripts


class StepError(ValueError):
    """A step of time that could not be read; the text is the sentence for the person."""


def parse_step(body: object) -> timedelta:
    """Read `{"advance": "36h"}`. Raise `StepError` with a sentence when it is anything else."""
    text = body.get("advance") if isinstance(body, dict) else None
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text) if isinstance(text, str) else None
    if match is None:
        raise StepError('I could not read how far to advance. Send {"advance": "36h"}, or 90s, 5m, 7d.')
    step = timedelta(**{UNITS[match[2]]: int(match[1])})
    if not timedelta() < step <= LONGEST_STEP:
        raise StepError("Advance the clock by more than nothing and by at most 3650d at once.")
    return step


def refusal(sentence: str, status: int = 400) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def is_own_page(request: web.Request) -> bool:
    """Tell whether a browser sends this from the page itself; programs send no Origin at all."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def peer_origins(config: Mapping[str, object]) -> Iterator[str]:
    """Yield the origin of each peer's URL in the configuration."""
    for value in config.values():
        if isinstance(value, str) and (url := urlsplit(value)).scheme in {"http", "https"} and url.netloc:
            yield f"{url.scheme}://{url.netloc}"


def content_security_policy(config: Mapping[str, object]) -> str:
    """Return the policy that lets the page run its own files and speak to the peers, and nothing else."""
    peers = " ".join(sorted(set(peer_origins(config))))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob: {peers}".rstrip(),
            f"connect-src 'self' {peers}".rstrip(),
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
