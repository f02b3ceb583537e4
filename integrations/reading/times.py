"""Times as other systems write them. None of it goes through floating point: nanoseconds do not fit there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def nanoseconds(moment: datetime) -> int:
    """Return nanoseconds since 1970."""
    return (moment - EPOCH) // _MICROSECOND * 1000


def of_nanoseconds(written: object) -> datetime:
    """Read nanoseconds since 1970, which JSON mostly holds as a text. Raise `ValueError` for what is no such time."""
    if isinstance(written, bool) or not isinstance(written, str | int):
        raise ValueError("not a time")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    if isinstance(written, str) and not (written.isascii() and written.isdecimal()):
        raise ValueError("not a time")
    try:
        return EPOCH + timedelta(microseconds=int(written) // 1000)
    except OverflowError:
        raise ValueError("not a time") from None


def written(moment: datetime) -> str:
    """Write it as RFC 3339 does, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: object) -> datetime:
    """Read RFC 3339, to the microsecond. Raise `ValueError` for what is no such time."""
    if not isinstance(text, str):
        raise ValueError("not a time")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        return read.replace(tzinfo=UTC)
