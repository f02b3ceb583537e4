"""What is wrong with one container of a pod."""

from __future__ import annotations

import re

from bot.health import images
from bot.health.facts import Container, Event, Pod, StuckFacts, Termination
from bot.health.finding import Finding
from bot.health.logs import advice, last_words
from bot.health.words import counted, said

AT_START_S = 60.0
"""A container that lives shorter than this crashes at start."""
CERTAIN_RESTARTS = 2
"""Restarts after which a crash is no coincidence."""
_AGAIN = "and deploy again, or roll back."
_MISSING_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?:(?P<ns>[\w.-]+)/)?(?P<name>[\w.-]+)"
)
_MISSING = re.compile(r"(?P<kind>secrets?|configmaps?) \\?\"(?P<name>[\w.-]+)\\?\" not found", re.IGNORECASE)
_NOT_EXECUTABLE = re.compile(r"exec:? \\?\"(?P<program>[^\"\\]+)\\?\"|(?:stat|exec) (?P<path>/\S+):")


def finding(facts: StuckFacts, pod: Pod, container: Container, events: tuple[Event, ...]) -> Finding | None:
    """Return what keeps this container from being ready; None when nothing is known against it."""
    if container.waiting in images.WAITING:
        return images.finding(pod, container, events)
    if container.waiting == "CreateContainerConfigError":
        return _configuration(container, _which(pod, container))
    if container.waiting in ("CreateContainerError", "RunContainerError"):
        return _cannot_run(container, container.waiting_message, _which(pod, container))
    ended = container.ended
    if ended is not None and ended.reason in ("StartError", "ContainerCannotRun"):
        return _cannot_run(container, ended.message, _which(pod, container))
    if container.init and ended is not None and ended.exit_code == 0:
        return None
    stopped = container.terminated is not None or container.waiting == "CrashLoopBackOff"
    if ended is not None and (stopped or (container.restarts and not container.ready)):
        return _ended(facts, pod, container, ended, events)
    return None


def _configuration(container: Container, which: str) -> Finding:
    message = container.waiting_message
    missing_key, missing = _MISSING_KEY.search(message), _MISSING.search(message)
    if missing_key is not None:
        why = f"the {missing_key['kind']} {missing_key['name']} has no key {missing_key['key']}"
        step = f"Put {missing_key['key']} into it, or name another key in platform.yaml; it starts by itself then."
    elif missing is not None:
        kind = "Secret" if missing["kind"].lower().startswith("secret") else "ConfigMap"
        why = f"the {kind} {missing['name']} does not exist"
        step = f"Create the {kind} {missing['name']}, or correct its name in platform.yaml; it starts by itself then."
    elif "runAsNonRoot" in message or "non-root" in message:
        why = "its image runs as root, which this cluster forbids"
        step = "Let the image run as a user by number (`USER 10001` in its Dockerfile) and deploy that version."
    else:
        why = said(message) or "its configuration is refused"
        step = "Mend what it names in platform.yaml and deploy again, or roll back."
    # A Secret may be on its way (an operator makes it), so a missing one is told only after the patience.
    return Finding(
        rank=2,
        key=("configuration", why),
        one=f"cannot start{which}, because {why}",
        many=f"cannot start{which}, because {why}",
        next_step=step,
        final="root" in why,
        evidence=(f"{_title(container)}: {container.waiting}",),
    )


def _cannot_run(container: Container, message: str, which: str) -> Finding:
    found = _NOT_EXECUTABLE.search(message)
    program = (found["program"] or found["path"]) if found is not None else ""
    if program and re.search(r"not found|no such file", message):
        why = f"its command `{program}` is not in the image"
    elif program and "permission denied" in message:
        why = f"its command `{program}` may not be executed"
    else:
        why = said(message) or "its command cannot be run"
    return Finding(
        rank=2,
        key=("command", container.name, why),
        one=f"cannot start{which}, because {why}",
        many=f"cannot start{which}, because {why}",
        next_step="Correct the command or the image and deploy again, or roll back.",
        final=True,
        evidence=(f"{_title(container)}: {container.waiting or 'StartError'}", said(message)),
    )


def _ended(
    facts: StuckFacts, pod: Pod, container: Container, ended: Termination, events: tuple[Event, ...]
) -> Finding | None:
    liveness = next((one for one in reversed(events) if one.message.startswith("Liveness probe failed")), None)
    if liveness is not None and ended.exit_code in (0, 137, 143) and ended.reason != "OOMKilled":
        return _killed_by_probe(container, liveness)
    one, many, step = _how(container, ended, facts.service, _which(pod, container))
    lines = facts.logs.get((pod.name, container.name), ())
    words = last_words(lines) or last_words(ended.message.splitlines())
    rest = f"; {words}" if words is not None else ""
    if words is None and any("log" in one for one in facts.unreadable):
        rest = "; I may not read its log"
    return Finding(
        rank=0,
        key=("ended", container.name, str(ended.exit_code), ended.reason),
        one=one,
        many=many,
        rest=rest,
        next_step=(advice(words.line) if words is not None and ended.reason != "OOMKilled" else None) or step,
        final=container.restarts >= CERTAIN_RESTARTS,
        evidence=(
            f"{_title(container)}: {_state(container, ended)}",
            *((f"Log: {words.line}",) if words is not None else ()),
        ),
    )


def _how(container: Container, ended: Termination, service: str, which: str) -> tuple[str, str, str]:
    """Return how it ends, for one pod and for many, and the step when its log advises none."""
    code = ended.exit_code
    again = f", {counted(container.restarts, 'restart')}" if container.restarts else ""
    look = f"read its log with `/service logs {service}`"
    read = f"Read{look[4:]}, mend it {_AGAIN}"
    if ended.reason == "OOMKilled":
        limit = f" of {container.memory_limit}" if container.memory_limit else ""
        how = f"killed for using more memory than its limit{limit}{again and f' ({again[2:]})'}"
        step = "Choose a larger size in platform.yaml, or let it use less memory, and deploy again."
        return f"is{which} {how}", f"are{which} {how}", step
    match code:
        case 0 if not container.init:
            step = f"Let its command keep running, or declare a `schedule`, {_AGAIN}"
            return f"ends by itself{which} (exit code 0{again})", f"end by themselves{which} (exit code 0{again})", step
        case 126:
            step = f"Make the command executable in the image {_AGAIN}"
            how = f"run its command{which} (exit code 126: it may not be executed{again})"
            return f"cannot {how}", f"cannot {how}", step
        case 127:
            step = f"Correct the command or put it into the image {_AGAIN}"
            how = f"find its command{which} (exit code 127{again})"
            return f"cannot {how}", f"cannot {how}", step
        case 134 | 139:
            name = "a segmentation fault" if code == 139 else "an abort"
            how = f"with {name}{which} (exit code {code}{again})"
            return f"crashes {how}", f"crash {how}", read
        case 137:
            how = f"killed from outside{which} (exit code 137{again})"
            return f"is {how}", f"are {how}", f"See whether its node lacks memory or what sends it SIGKILL, and {look}."
        case 143:
            how = f"told to stop{which} again and again (exit code 143{again})"
            return f"is {how}", f"are {how}", f"See what sends it SIGTERM, and {look}."
    early = ended.lasted_s is None or ended.lasted_s < AT_START_S
    when = " at start" if early and not container.init else ""
    how = f"{which}{when} (exit code {code}{again})"
    return f"crashes{how}", f"crash{how}", read


def _killed_by_probe(container: Container, event: Event) -> Finding:
    why = probe_words(event.message)
    return Finding(
        rank=1,
        key=("liveness", container.name, why),
        one=f"is restarted again and again, because its liveness probe fails ({why})",
        many=f"are restarted again and again, because their liveness probe fails ({why})",
        next_step="Correct `probes` in platform.yaml or what answers there, and deploy again, or roll back.",
        final=container.restarts > CERTAIN_RESTARTS,
        evidence=(f"{_title(container)}: {counted(container.restarts, 'restart')}", said(event.message)),
    )


def probe_words(message: str) -> str:
    """Return what a probe met: `HTTP 503`, `connection refused`, `no answer in time`, or its own words."""
    status = re.search(r"statuscode: (\d+)", message)
    if status is not None:
        return f"HTTP {status[1]}"
    if "connection refused" in message:
        port = re.search(r":(\d+)(?:/\S*)?[\":]", message)
        return f"connection refused{f' on port {port[1]}' if port else ''}"
    if re.search(r"deadline exceeded|i/o timeout|Client.Timeout|timed out", message):
        return "no answer in time"
    return said(message.partition("probe failed:")[2] or message)[:120] or "no reason given"


def _state(container: Container, ended: Termination) -> str:
    restarts = counted(container.restarts, "restart")
    return f"{container.waiting or 'ended'}, exit code {ended.exit_code}, {restarts}"


def _which(pod: Pod, container: Container) -> str:
    """Name the container, unless it is the only one: then one speaks of the pod."""
    if container.init:
        return f" in its init container {container.name}"
    alone = sum(not one.init for one in pod.containers) == 1
    return "" if alone else f" in its container {container.name}"


def _title(container: Container) -> str:
    return f"{'Init container' if container.init else 'Container'} {container.name}"
