"""What measures, fires, writes and traces: Prometheus, Alertmanager, Loki, Tempo. One that the installation does not
have is not spoken of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aiohttp
import yaml

from bot.terminal.doctor.findings import Finding, Installation, fine, listed, mend

WEBHOOK = "/webhooks/alertmanager"
HIDDEN = "<secret>"
"""What Alertmanager shows in the place of a secret; newer ones count the address of a webhook as one."""
DEEPEST = 100
"""Levels of a configuration; routes within routes take two each."""
LONGEST_BODY = 16 * 1024 * 1024
RULES = "Check the operator's `ruleSelector` against `platform.environments.*.monitoring.labels`."


async def prometheus(installation: Installation) -> Sequence[Finding]:
    url = installation.settings.environment.prometheus_url
    if not url:
        return []
    try:
        await _get(installation, f"{url}/api/v1/query?query=vector(1)")
        version = _text(await _get(installation, f"{url}/api/v1/status/buildinfo", optional=True), "data", "version")
        told = await _get(installation, f"{url}/api/v1/rules?type=alert", optional=True)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [_no_answer("CAUSEWAY_PROMETHEUS_URL", "Prometheus", error)]
    findings = [fine(f"Prometheus {version}".strip() + " answers queries.")]
    if told is not None and (wrong := _rules(installation, told)):
        findings += wrong
    return findings


def _rules(installation: Installation, told: Any) -> list[Finding]:
    """Whether the rules that we generate are there, where an environment is monitored and has a service."""
    groups = _at(told, "data", "groups") or []
    rules = [rule for group in groups if isinstance(group, dict) for rule in group.get("rules") or ()]
    environments = installation.settings.configuration.platform.environments
    monitored = sorted(name for name, one in environments.items() if one.monitoring.enabled)
    if not rules and monitored and installation.services:
        told = f"it has no alert rules, though {listed(monitored)} is monitored, so nothing will ever fire. {RULES}"
        return [mend(told)]
    broken = sorted({str(rule.get("name")) for rule in rules if isinstance(rule, dict) and rule.get("health") == "err"})
    if broken:
        return [mend(f"it cannot evaluate the rules {listed(broken)}. Its page *Rules* says why.")]
    return [fine(f"it evaluates {len(rules)} alert rules.")] if rules else []


async def alertmanager(installation: Installation) -> Sequence[Finding]:
    environment = installation.settings.environment
    url = environment.alertmanager_url
    if not url:
        return []
    try:
        told = await _get(installation, f"{url}/api/v2/status")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [_no_answer("CAUSEWAY_ALERTMANAGER_URL", "Alertmanager", error)]
    findings = [fine(f"Alertmanager {_text(told, 'versionInfo', 'version')}".strip() + " answers.")]
    if not environment.alertmanager_token.get_secret_value():
        why = f"CAUSEWAY_ALERTMANAGER_TOKEN is not set, so nothing is taken at {WEBHOOK}."
        findings.append(mend(f"{why} Set it, and the same in Alertmanager's `http_config.authorization.credentials`."))
    return [*findings, *_webhook(_at(told, "config", "original"))]


def _webhook(written: Any) -> list[Finding]:
    """Whether a receiver calls us, as far as the configuration tells."""
    configuration = _configuration(written)
    if not isinstance(configuration, dict):
        return [fine("its configuration cannot be read, so whether it calls us was not looked at.")]
    hooks = list(_hooks(configuration))
    ours = [(name, hook) for name, hook in hooks if str(hook.get("url", "")).split("?")[0].endswith(WEBHOOK)]
    if not ours and any(hook.get("url") == HIDDEN or "url_file" in hook for _, hook in hooks):
        return [fine(f"it hides the addresses of its webhooks, so whether one of them is {WEBHOOK} cannot be seen.")]
    if not ours:
        return [mend(f"none of its receivers calls {WEBHOOK}. Add `webhook_configs` as the guide about alerts shows.")]
    wrong = []
    routed = set(_routed(configuration.get("route")))
    for name, hook in ours:
        if name not in routed:
            wrong.append(mend(f"no route leads to its receiver `{name}`, which calls {WEBHOOK}. Add one."))
        if hook.get("send_resolved") is False:
            wrong.append(mend(f"its receiver `{name}` does not tell what is resolved. Set `send_resolved: true`."))
        if not _has_token(hook):
            wrong.append(mend(f"its receiver `{name}` sends no bearer token. Set `http_config.authorization`."))
    return wrong or [fine(f"it calls {WEBHOOK} by its receiver `{ours[0][0]}`.")]


def _configuration(written: Any) -> Any:
    """Return what is written as YAML, or None for what is none. What is nested deeper than anybody writes is none."""
    if not isinstance(written, str):
        return None
    depth = 0
    try:
        for event in yaml.parse(written, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return None
        return yaml.load(written, Loader=yaml.CSafeLoader)  # the safe one, in C
    except (yaml.YAMLError, ValueError):
        return None


def _hooks(configuration: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each webhook with the name of its receiver."""
    for receiver in configuration.get("receivers") or ():
        if isinstance(receiver, dict):
            for hook in receiver.get("webhook_configs") or ():
                if isinstance(hook, dict):
                    yield str(receiver.get("name")), hook


def _routed(route: Any) -> Iterator[str]:
    """Yield the receivers to which routes lead."""
    waiting = [route]
    while waiting:
        if isinstance(one := waiting.pop(), dict):
            yield str(one.get("receiver"))
            waiting += one.get("routes") or []


def _has_token(hook: Mapping[str, Any]) -> bool:
    access = hook.get("http_config")
    return isinstance(access, dict) and bool({"authorization", "bearer_token", "bearer_token_file"} & set(access))


async def loki(installation: Installation) -> Sequence[Finding]:
    url = installation.settings.environment.loki_url
    return await _reached(installation, "Loki", "CAUSEWAY_LOKI_URL", url, "/loki/api/v1/status/buildinfo")


async def tempo(installation: Installation) -> Sequence[Finding]:
    url = installation.settings.environment.tempo_url
    return await _reached(installation, "Tempo", "CAUSEWAY_TEMPO_URL", url, "/api/status/buildinfo")


async def _reached(installation: Installation, system: str, setting: str, url: str, path: str) -> Sequence[Finding]:
    if not url:
        return []
    try:
        told = await _get(installation, url + path)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [_no_answer(setting, system, error)]
    version = _text(told, "version") or _text(told, "data", "version")
    return [fine(f"{system} {version}".strip() + " answers.")]


async def _get(installation: Installation, url: str, *, optional: bool = False) -> Any:
    """Return the JSON, or None for a path that is not there, where that may be.

    Raise `aiohttp.ClientError`, `TimeoutError`, or `ValueError` for an answer that is none of this system's.
    """
    async with installation.session.get(url, allow_redirects=False) as response:
        if optional and response.status == 404:
            return None
        response.raise_for_status()
        if response.status != 200:
            raise ValueError("not an answer")
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > LONGEST_BODY:
                raise ValueError("too long")
        try:
            answer = json.loads(body)
        except RecursionError:
            raise ValueError("not JSON") from None
    if not isinstance(answer, dict):
        raise ValueError("not an object")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    return answer


def _no_answer(setting: str, system: str, error: Exception) -> Finding:
    if isinstance(error, aiohttp.ClientResponseError) and error.status in (401, 403):
        return mend(f"{system} wants a login ({error.status}). Write it into {setting}: https://USER:PASSWORD@HOST")
    why = f"status {error.status}" if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
    return mend(f"{system} did not answer as it does ({why}). Check {setting}.")


def _at(found: Any, *keys: str) -> Any:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _text(found: Any, *keys: str) -> str:
    """Return a short printable text, such as a version; empty where there is none."""
    text = _at(found, *keys)
    return "".join(c for c in text[:40] if c.isprintable()) if isinstance(text, str) else ""
