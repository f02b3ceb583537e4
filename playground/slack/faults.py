"""Faults on order: a Web API method that fails in a chosen way a number of times."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from playground.slack.refusals import ClientRefusal


@dataclass(slots=True)
class Fault:
    method: str
    times: int = 1
    skip: int = 0
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    drop: Literal["before", "after"] | None = None
    truncate: bool = False


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> None:
        """Add a fault. Raise `ClientRefusal` for one that says nothing or something unknown."""
        try:
            fault = Fault(**wanted)
        except TypeError as error:
            raise ClientRefusal(400, "invalid_fault", f"I do not know this fault: {error}.") from error
        numbers = (fault.times, fault.skip, fault.delay_ms, fault.status or 0, fault.retry_after or 0)
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ClientRefusal(400, "invalid_fault", "Counts, status and times are whole numbers from 0 on.")
        if not isinstance(fault.method, str) or not isinstance(fault.error, str | None):
            raise ClientRefusal(400, "invalid_fault", "`method` and `error` are names.")
        if fault.drop not in (None, "before", "after"):
            raise ClientRefusal(400, "invalid_fault", "`drop` is `before` or `after` the work is done.")
        if not (fault.error or fault.status or fault.delay_ms or fault.drop or fault.truncate):
            raise ClientRefusal(400, "invalid_fault", "Give one of error, status, delay_ms, drop, truncate.")
        self._faults.append(fault)

    def take(self, method: str) -> Fault | None:
        """Return the fault that this call meets, counting it down."""
        for fault in self._faults:
            if fault.method not in ("*", method):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]
