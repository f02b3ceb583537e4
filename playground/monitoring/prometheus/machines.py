"""What cAdvisor and kube-state-metrics tell of pods and Deployments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from playground.monitoring.prometheus.flows import Coefficients
from playground.monitoring.prometheus.lives import Stretch
from playground.monitoring.prometheus.pods import SAMPLE_CPU, SAMPLE_MEMORY, PodState
from playground.monitoring.prometheus.runs import Run, Runs, Telling, counter, grid
from playground.monitoring.prometheus.samples import Formula
from playground.monitoring.traffic import share_of

IDLE_CPU, BUSY_CPU = 0.08, 0.1
"""Shares of what a container may use: by itself, and for the usual requests."""
USUAL_MEMORY, MEMORY_WAVE, MEMORY_PERIOD_S = 0.38, 0.04, 10_800
PERIODS_PER_S = 10
"""Scheduling periods of the kernel: 100 ms each."""
USUAL_THROTTLING = 0.002
WAITING = ("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "ContainerCreating")
KUBE_STATE = "kube-state-metrics"


def machine_series(telling: Telling, run: Run) -> Iterator[Formula]:
    """Yield what cAdvisor tells of one container."""
    life, state = telling.life, run.state
    target = grid("kubelet", life.namespace, run.name)
    labels = {"namespace": life.namespace, "pod": run.name, "container": life.name, "job": "kubelet"}
    cores = state.cpu_limit or state.cpu_request or SAMPLE_CPU

    def using(stretch: Stretch) -> Coefficients:
        part = _answers(stretch, run) * stretch.ready
        each_request = BUSY_CPU * cores * part / telling.flow.base if telling.flow.base else 0.0
        return cores * (IDLE_CPU + stretch.effect.cpu_share * part), each_request

    used = telling.accumulated(using)
    yield telling.series(
        "container_cpu_usage_seconds_total", target, run.exists, lambda at, begin: used.between(begin, at), **labels
    )
    yield telling.series("container_memory_working_set_bytes", target, run.exists, _memory(telling, run), **labels)
    if state.cpu_limit:
        yield from _throttling(telling, run, labels)


def _answers(stretch: Stretch, run: Run) -> float:
    """Return 1 / ready pods for one that is ready, else 0."""
    pod = stretch.pod(run.name)
    return 1 / stretch.ready if pod is not None and pod.ready else 0.0


def _memory(telling: Telling, run: Run) -> Callable[[int, int], float]:
    most = run.state.memory_limit or run.state.memory_request or SAMPLE_MEMORY
    phase = share_of("memory", telling.life.namespace, run.name) * 2 * math.pi

    def value(moment: int, _: int) -> float:
        wave = math.sin(2 * math.pi * moment / 1000 / MEMORY_PERIOD_S + phase)
        share = USUAL_MEMORY + MEMORY_WAVE * wave + telling.stretch_at(moment).effect.memory_share
        return float(math.floor(most * min(share, 0.99)))

    return value


def _throttling(telling: Telling, run: Run, labels: dict[str, str]) -> Iterator[Formula]:
    target = grid("kubelet", telling.life.namespace, run.name)
    every = telling.accumulated(lambda _: (float(PERIODS_PER_S), 0.0))
    late = telling.accumulated(lambda stretch: (PERIODS_PER_S * throttled(stretch), 0.0))
    for name, counted in (("periods", every), ("throttled_periods", late)):
        yield telling.series(f"container_cpu_cfs_{name}_total", target, run.exists, counter(counted), **labels)


def throttled(stretch: Stretch) -> float:
    return min(1.0, USUAL_THROTTLING + stretch.effect.throttled_share)


def state_series(telling: Telling, run: Run) -> Iterator[Formula]:
    """Yield what kube-state-metrics tells of one pod."""
    life, state, target = telling.life, run.state, grid(KUBE_STATE)
    pod = {"namespace": life.namespace, "pod": run.name, "job": KUBE_STATE}
    container = {**pod, "container": life.name}
    yield telling.state("kube_pod_container_info", target, run.exists, lambda _: 1.0, **container, image=state.image)
    for word, cpu, memory in (
        ("limits", state.cpu_limit, state.memory_limit),
        ("requests", state.cpu_request, state.memory_request),
    ):
        name = f"kube_pod_container_resource_{word}"
        for resource, unit, amount in (("cpu", "core", cpu), ("memory", "byte", memory)):
            if amount:
                labels = container | {"resource": resource, "unit": unit}
                yield telling.state(name, target, run.exists, _always(amount), **labels)

    def now(stretch: Stretch) -> PodState:
        return stretch.pod(run.name) or state

    restarts = "kube_pod_container_status_restarts_total"
    yield telling.state(restarts, target, run.exists, lambda stretch: float(now(stretch).restarts), **container)
    for name, labels in (
        ("kube_pod_status_ready", {**pod, "condition": "true"}),
        ("kube_pod_container_status_ready", container),
    ):
        yield telling.state(name, target, run.exists, lambda stretch: float(now(stretch).ready), **labels)
    for reason in WAITING:
        name, waits = "kube_pod_container_status_waiting_reason", _waits(run, reason)
        yield telling.state(name, target, run.exists, waits, **container, reason=reason)
    yield telling.state(
        "kube_pod_container_status_last_terminated_reason",
        target,
        run.exists,
        lambda stretch: float(now(stretch).terminated == "OOMKilled"),
        **container,
        reason="OOMKilled",
    )


def _always(value: float) -> Callable[[Stretch], float]:
    return lambda _: value


def _waits(run: Run, reason: str) -> Callable[[Stretch], float]:
    return lambda stretch: float((stretch.pod(run.name) or run.state).waiting == reason)


def deployment_series(telling: Telling, runs: Runs) -> Iterator[Formula]:
    life, target = telling.life, grid(KUBE_STATE)
    labels = {"namespace": life.namespace, "deployment": life.name, "job": KUBE_STATE}
    values: dict[str, Callable[[Stretch], float]] = {
        "kube_deployment_spec_replicas": lambda stretch: float(stretch.wanted),
        "kube_deployment_status_replicas": lambda stretch: float(len(stretch.pods)),
        "kube_deployment_status_replicas_available": lambda stretch: float(stretch.ready),
        "kube_deployment_status_replicas_ready": lambda stretch: float(stretch.ready),
    }
    for name, of in values.items():
        yield telling.state(name, target, runs.there, of, **labels)
