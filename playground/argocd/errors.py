"""Refusals of the REST API in gRPC gateway's shape: `{"error", "code", "message"}`."""

from __future__ import annotations

HTTP = {2: 500, 3: 400, 5: 404, 7: 403, 9: 400, 13: 500, 16: 401}
"""gRPC code → HTTP status."""
INVALID, NOT_FOUND, DENIED, PRECONDITION, UNKNOWN, UNAUTHENTICATED = 3, 5, 7, 9, 2, 16


class ApiRefusal(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        return HTTP[self.code]

    def body(self) -> dict[str, str | int]:
        return {"error": self.message, "code": self.code, "message": self.message}


def denied() -> ApiRefusal:
    """Return what Argo CD says of an application that may not be seen, and as well of one that does not exist."""
    return ApiRefusal(DENIED, "permission denied")


def not_found(name: str) -> ApiRefusal:
    return ApiRefusal(NOT_FOUND, f'applications.argoproj.io "{name}" not found')
