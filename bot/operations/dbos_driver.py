"""DBOS as the durable engine: it drives one generic workflow, `run(operation, token)`.

Our rows hold the truth; DBOS remembers only which runs this replica had begun, and begins them again after a restart
(docs/adr/0001-durable-engine.md). It lives in a thread of its own with an event loop of its own, because it replaces
the default thread pool of the loop it is used from and blocks that loop while it starts and stops.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowSerializationFormat
from sqlalchemy.engine import URL

from bot.operations.driver import Run, system_url, workflow_id

T = TypeVar("T")

APPLICATION_VERSION = "causeway-1"
"""Fixed: DBOS starts only runs of its own version again, and by default a release is a new version. Our stored plans
carry versions of their own, so every release may go on with every run."""
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
THREADS = 4
"""Threads in which DBOS talks to its database; runs themselves are coroutines of our own loop."""

SETTLE_S = 2.0
"""Longest wait for runs that still hang on DBOS when it is closed, in seconds. The engine ends its own before."""


class DbosDriver:
    """DBOS on its own thread. DBOS is one per process, and so is this.

    `url` is the database of Causeway. On PostgreSQL the system tables of DBOS stand in the schema `dbos` of that
    database; on SQLite in a second file beside ours, so that its threads and our writers never wait for one lock.
    """

    def __init__(self, url: str, replica: str) -> None:
        self._url = system_url(url)
        self._replica = replica
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: Future[None] = Future()
        self._workflow: Any = None

    async def open(self, run: Run) -> None:
        """Start DBOS and let it begin again what this replica was doing when it died."""
        home = asyncio.get_running_loop()
        ready: Future[None] = Future()
        self._ended = Future()
        self._thread = threading.Thread(target=self._serve, args=(home, run, ready), name="durable-engine", daemon=True)
        self._thread.start()
        await asyncio.wrap_future(ready)

    async def start(self, operation: str, token: int) -> None:
        await self._there(self._start(operation, token))

    async def forget(self, operation: str, token: int) -> None:
        await self._there(DBOS.cancel_workflow_async(workflow_id(operation, token)))

    async def sweep(self) -> None:
        await self._there(self._sweep())

    async def close(self) -> None:
        if self._thread is None or self._loop is None:
            return
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.wrap_future(self._ended)  # our own loop goes on meanwhile: runs may need it to end
        thread.join()

    def _serve(self, home: asyncio.AbstractEventLoop, run: Run, ready: Future[None]) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._launch(home, run))
            self._loop = loop
            ready.set_result(None)
            loop.run_forever()
        except Exception as error:  # noqa: BLE001  # whatever stops DBOS from starting is told to `open`
            ready.set_exception(error)
        finally:
            loop.run_until_complete(_settle(loop))
            DBOS.destroy(destroy_registry=True)
            loop.close()
            self._ended.set_result(None)

    async def _launch(self, home: asyncio.AbstractEventLoop, run: Run) -> None:
        async def causeway_run(operation: str, token: int) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_call(run, operation, token), home))

        self._workflow = DBOS.workflow(name="causeway_run", serialization_type=WorkflowSerializationFormat.PORTABLE)(
            causeway_run
        )
        DBOS(config=self._config())
        DBOS.launch()

    def _config(self) -> DBOSConfig:
        config: DBOSConfig = {
            "name": "causeway",
            "application_version": APPLICATION_VERSION,
            "executor_id": self._replica,
            "log_level": "WARNING",
            "enable_otlp": False,
            "max_executor_threads": THREADS,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.5,  # nothing to listen for; it is how long stopping takes
            "scheduler_polling_interval_sec": 3600.0,  # there are no schedules
            "sys_db_pool_size": THREADS,
        }
        if self._url.get_backend_name() == "sqlite":
            config["system_database_engine"] = _sqlite_engine(self._url)
        else:
            config["system_database_url"] = self._url.render_as_string(hide_password=False)
        return config

    async def _start(self, operation: str, token: int) -> None:
        with SetWorkflowID(workflow_id(operation, token)):
            await DBOS.start_workflow_async(self._workflow, operation, token)

    async def _sweep(self) -> None:
        while True:
            finished = await DBOS.list_workflows_async(status=FINISHED, limit=500, load_input=False, load_output=False)
            if not finished:
                return
            await DBOS.delete_workflows_async([one.workflow_id for one in finished])

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop of DBOS."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the durable engine is not running")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


async def _call(run: Run, operation: str, token: int) -> None:
    await run(operation, token)


async def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Let DBOS note the runs that have ended; give up the others, which begin again at the next start."""
    tasks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    if tasks:
        _, unfinished = await asyncio.wait(tasks, timeout=SETTLE_S)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


def _sqlite_engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # IMMEDIATE is what DBOS itself sets. WAL with NORMAL halves the cost of a run: after a power cut the last
        # runs may be forgotten, and the lease in our own row brings them back.
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
