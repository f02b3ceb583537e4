"""Refusals in GitHub's own words and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """Becomes GitHub's JSON error body with this status."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        return {**body, "documentation_url": DOCUMENTATION, "status": str(self.status)}


def not_found(message: str = "Not Found") -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, message)


def conflict(message: str) -> ApiError:
    return ApiError(HTTPStatus.CONFLICT, message)


def unprocessable(message: str, errors: Sequence[Mapping[str, Any]] = ()) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, message, errors)


def invalid(resource: str, field: str, code: str, message: str = "", summary: str = "Validation Failed") -> ApiError:
    """Return a 422 about one field; `code` is GitHub's (`missing_field`, `already_exists`, `invalid`, `custom`)."""
    error = {"resource": resource, "code": code, "field": field}
    return unprocessable(summary, [{**error, "message": message} if message else error])


def empty_repository() -> ApiError:
    return conflict("Git Repository is empty.")
