"""`causeway`: serve, try, ask, check. Every mistake is a sentence on standard error; exit statuses are a contract."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import Conflict, Invalid, PlatformError, Refused, UpstreamUnavailable
from bot.terminal.statuses import FAILED, REFUSED, SUCCEEDED, WRONG_REQUEST

T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except PlatformError as error:
        _tell(error)
        return _status(error)
    except BrokenPipeError:  # whoever read our output has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCEEDED
    except KeyboardInterrupt:
        return 130


Commands = Any
"""What `add_subparsers` returns; argparse names its type only privately."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="causeway", description="The Slack front door of a developer platform.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_serve,
        _add_playground,
        _add_asking,
        _add_render,
        _add_template,
        _add_upkeep,
        _add_ledger,
        _add_rehearse,
    ):
        add(commands)
    return parser


def _add_serve(commands: Commands) -> None:
    serve = commands.add_parser("serve", help="run the bot")
    _config(serve)
    serve.set_defaults(run=_serve)


def _add_playground(commands: Commands) -> None:
    play = commands.add_parser("playground", help="try everything, with embedded peers and no account")
    play.add_argument("--port", type=int, default=8800, help="port of the page; 0 takes any free one")
    play.add_argument("--headless", action="store_true", help="open no browser")
    play.add_argument("--json", action="store_true", help="print one JSON object when ready, and nothing before it")
    play.add_argument("--data-dir", type=Path, default=Path(".causeway/playground"))
    play.add_argument("--seed", type=int, help="make up the same ids and tokens each time")
    play.add_argument("--config", type=Path, help="your own causeway.yaml, on top of the sample company's")
    play.add_argument("--socket-mode", action="store_true", help="deliver over Socket Mode instead of HTTP")
    play.add_argument("--database-url", help="PostgreSQL instead of SQLite")
    play.add_argument("--peers-only", action="store_true", help="start no bot")
    play.add_argument(
        "--bot-url",
        action="extend",
        nargs="+",
        default=[],
        metavar="URL",
        help="with --peers-only: deliver to these bots",
    )
    play.set_defaults(run=_playground)


def _add_asking(commands: Commands) -> None:
    for name, told, run in (("plan", "show what would be done", _plan), ("run", "do it", _run)):
        ask = commands.add_parser(name, help=told)
        ask.add_argument("request", help="the command, as `service.create`")
        ask.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="values")
        ask.add_argument("--json", action="store_true", help="print JSON for machines")
        ask.add_argument("--server", help="URL of a running Causeway; without it the command runs here")
        ask.add_argument("--token", default=os.environ.get("CAUSEWAY_TOKEN", ""), help="says who you are")
        _config(ask)
        ask.set_defaults(run=run)


def _add_render(commands: Commands) -> None:
    render = commands.add_parser("render", help="print the objects that platform documents become")
    render.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file with platform documents")
    render.add_argument("--environment", default="", help="one of the platform's; the first when left out")
    render.add_argument("--team", default="unowned", help="who owns them; part of labels and perhaps of the namespace")
    render.add_argument("--version", default="latest", help="becomes a label")
    _config(render)
    render.set_defaults(run=_render)


def _add_template(commands: Commands) -> None:
    template = commands.add_parser("template", help="try golden paths without any system").add_subparsers(required=True)
    render = template.add_parser("render", help="write the files that a template makes")
    render.add_argument("directory", type=Path)
    render.add_argument("--values", type=Path, required=True, help="YAML or JSON file with the answers")
    render.add_argument("--out", type=Path, required=True)
    render.set_defaults(run=_template_render)
    check = template.add_parser("check", help="say what would be refused")
    check.add_argument("directory", type=Path)
    check.set_defaults(run=_template_check)


def _add_upkeep(commands: Commands) -> None:
    doctor = commands.add_parser("doctor", help="check tokens, scopes and reachability")
    _config(doctor)
    doctor.set_defaults(run=_doctor)

    manifest = commands.add_parser("manifest", help="write app-manifest.yml")
    manifest.add_argument("--check", action="store_true", help="only say whether it is out of date")
    manifest.add_argument("--file", type=Path, default=Path("app-manifest.yml"))
    _config(manifest)
    manifest.set_defaults(run=_manifest)


def _add_ledger(commands: Commands) -> None:
    ledger = commands.add_parser("ledger", help="history that cannot be changed unseen").add_subparsers(required=True)
    for name, told, run in (("verify", "recompute the chain", _verify), ("show", "print entries", _show)):
        part = ledger.add_parser(name, help=told)
        part.add_argument("--json", action="store_true")
        if name == "show":
            part.add_argument("--operation", help="only entries of this operation")
            part.add_argument("--limit", type=int, default=50)
        _config(part)
        part.set_defaults(run=run)


def _add_rehearse(commands: Commands) -> None:
    rehearse = commands.add_parser("rehearse", help="play a whole day against a running playground")
    rehearse.add_argument("--page", default="http://127.0.0.1:8800", help="URL of the playground's page")
    rehearse.add_argument("--name", default="", help="what the new service is called; a free name when left out")
    rehearse.add_argument("--json", action="store_true", help="print one JSON object for each step")
    rehearse.set_defaults(run=_rehearse)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="path of causeway.yaml")


def _settings(arguments: argparse.Namespace) -> Any:
    from bot.settings import load  # noqa: PLC0415  # each command imports only what it needs: starting is quick

    return load(os.environ, config=arguments.config)


def _serve(arguments: argparse.Namespace) -> int:
    gc.disable()  # a quarter of the start would go into looking for garbage among what stays; `serve` takes it up again
    from bot.terminal.serve import serve  # noqa: PLC0415  # as above

    _awaited(serve(_settings(arguments)))
    return SUCCEEDED


def _playground(arguments: argparse.Namespace) -> int:
    gc.disable()  # as for `serve`
    from bot.terminal.try_out import try_out  # noqa: PLC0415  # as above
    from playground.server import Playground  # noqa: PLC0415  # as above

    return _awaited(try_out(arguments, Playground))


def _plan(arguments: argparse.Namespace) -> int:
    from bot.terminal.asking import plan  # noqa: PLC0415  # as above

    return _awaited(plan(arguments, lambda: _settings(arguments)))


def _run(arguments: argparse.Namespace) -> int:
    from bot.terminal.asking import run  # noqa: PLC0415  # as above

    return _awaited(run(arguments, lambda: _settings(arguments)))


def _render(arguments: argparse.Namespace) -> int:
    gc.disable()  # a quarter of the time would go into looking for garbage in a process that ends at once
    try:
        stream, wrong = _rendered(arguments)
    finally:
        gc.enable()
    for line in wrong:
        print(line, file=sys.stderr)
    sys.stdout.write(stream)
    return WRONG_REQUEST if wrong else SUCCEEDED


def _rendered(arguments: argparse.Namespace) -> tuple[str, list[str]]:
    from bot.terminal.render import platform_of, rendered  # noqa: PLC0415  # as above

    return rendered(
        arguments.files,
        platform=platform_of(arguments.config, os.environ),
        environment=arguments.environment,
        team=arguments.team,
        version=arguments.version,
    )


def _template_render(arguments: argparse.Namespace) -> int:
    from bot.golden_paths.cli import render  # noqa: PLC0415  # as above

    return _said(render(arguments.directory, values=arguments.values, out=arguments.out))


def _template_check(arguments: argparse.Namespace) -> int:
    from bot.forms.schema import form_of  # noqa: PLC0415  # as above
    from bot.golden_paths.cli import check  # noqa: PLC0415  # as above

    return _said(check(arguments.directory, form_of))


def _doctor(arguments: argparse.Namespace) -> int:
    from bot.terminal.doctor import examine  # noqa: PLC0415  # as above

    return _said(_awaited(examine(_settings(arguments))))


def _manifest(arguments: argparse.Namespace) -> int:
    from bot.terminal.manifest import check, write  # noqa: PLC0415  # as above

    settings = _settings(arguments)
    return _said((check if arguments.check else write)(arguments.file, settings))


def _verify(arguments: argparse.Namespace) -> int:
    from bot.terminal.audit import verify  # noqa: PLC0415  # as above

    return _said(_awaited(verify(_settings(arguments), as_json=arguments.json)))


def _show(arguments: argparse.Namespace) -> int:
    from bot.terminal.audit import show  # noqa: PLC0415  # as above

    task = show(_settings(arguments), operation=arguments.operation, limit=arguments.limit, as_json=arguments.json)
    return _said(_awaited(task))


def _rehearse(arguments: argparse.Namespace) -> int:
    from bot.rehearsal.play import rehearse  # noqa: PLC0415  # as above

    return _awaited(rehearse(arguments.page, name=arguments.name, as_json=arguments.json))


def _awaited(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415  # as above

    return asyncio.run(work)


def _said(result: tuple[int, Sequence[str]]) -> int:
    status, lines = result
    for line in lines:
        print(line)
    return status


def _tell(error: PlatformError) -> None:
    if isinstance(error, Invalid):
        print(error.message, file=sys.stderr)
        for mistake in error.mistakes:
            print(f"  {mistake}", file=sys.stderr)
        return
    print(error, file=sys.stderr)


def _status(error: PlatformError) -> int:
    match error:
        case Refused():
            return REFUSED
        case UpstreamUnavailable() | Conflict():
            return FAILED
        case _:
            return WRONG_REQUEST


if __name__ == "__main__":
    sys.exit(main())
