"""The client library on a session of ours, which keeps what the library by itself loses.

The library asks its session for every answer and hands on what came. So that is where answers are bounded, where their
warnings are kept and where failures get their names. Imported with the first question only: it takes 0.1 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from prometheus_api_client import PrometheusConnect
from requests import Response, Session
from requests.exceptions import ConnectTimeout, RequestException, SSLError, Timeout
from urllib3 import Retry
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as BrokenTime

from bot.errors import PlatformError
from bot.ports import Measured
from integrations.prometheus.answers import SYSTEM, found
from integrations.prometheus.connections import Connections
from integrations.reading.bodies import Body
from integrations.reading.errors import late, no_result, unreachable
from integrations.reading.series import MOST_SERIES

CONNECT_S = 2.0
"""Longest wait for a connection, in seconds: Prometheus stands in the same network."""
LONGEST_BODY = 4 * 1024 * 1024
"""Bytes of one answer; read it takes about six times as much. A chart of 300 points and 50 series is 0.5 MB."""
PART = 64 * 1024
_SERIES = b'{"metric":'
"""Begins each series. Within a text its quotes would be escaped, so it is never counted there."""


class Client(PrometheusConnect):  # type: ignore[misc]  # the library has no types
    """For one question, or several one after the other; the connections below are shared."""

    def __init__(self, url: str, connections: Connections) -> None:
        super().__init__(url=url, session=_BoundedSession(), retry=Retry(total=0), method="POST")
        self._session.mount(self.url, connections)  # where the library has just put some of its own

    def at(self, query: str, moment: datetime | None, timeout_s: float) -> Measured:
        """Raise the `PlatformError` that fits; nothing else."""
        params = _patience(timeout_s) | ({} if moment is None else {"time": _seconds(moment)})
        return cast("Measured", self.custom_query(query, params=params, timeout=timeout_s))

    def over(self, query: str, begin: datetime, end: datetime, step: timedelta, timeout_s: float) -> Measured:
        """Likewise. The library rounds both ends to seconds, so they are told once more."""
        params = _patience(timeout_s) | {"start": _seconds(begin), "end": _seconds(end)}
        every = f"{step.total_seconds():.3f}"
        return cast("Measured", self.custom_query_range(query, begin, end, every, params=params, timeout=timeout_s))


def _patience(timeout_s: float) -> dict[str, str]:
    return {"timeout": f"{max(timeout_s, 0.001):.3f}"}  # a fraction of seconds has no unit there


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"


class _BoundedSession(Session):
    """Sends a query in the body, where it may be long and no proxy notes it. Goes nowhere else, reads in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # a login is in the address or nowhere
        self.headers["Accept-Encoding"] = "identity"  # what a packed answer grows to is seen too late

    def request(  # type: ignore[override]  # the library names what it gives
        self, method: str, url: str, params: Mapping[str, str], timeout: float, **kwargs: Any
    ) -> Response:
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": (CONNECT_S, timeout)}
        try:
            with super().request(method, url, data=params, **kwargs) as response:
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise no_result(SYSTEM)
                body = Body(SYSTEM, most_bytes=LONGEST_BODY, mark=_SERIES, most_marks=MOST_SERIES)
                whole = body.whole(response.raw.stream(PART, decode_content=False))
                return _Answer(found(response.status_code, response.headers, whole))
        except PlatformError:
            raise
        except SSLError as error:
            is_trust = "CERTIFICATE_VERIFY_FAILED" in str(error)
            raise unreachable(SYSTEM, "its certificate is not trusted" if is_trust else "TLS failed") from None
        except ConnectTimeout:
            raise unreachable(SYSTEM, "there is no connection in time") from None
        except (Timeout, BrokenTime):
            raise late(SYSTEM) from None
        except (RequestException, HTTPError, OSError, ValueError):
            raise unreachable(SYSTEM, "the connection failed") from None


class _Answer(Response):
    """A good answer that has been read: the library takes its result out and hands it on as it is."""

    def __init__(self, measured: Measured) -> None:
        super().__init__()
        self.status_code = 200
        self._measured = measured

    def json(self, **_: Any) -> Any:
        return {"data": {"result": self._measured}}
