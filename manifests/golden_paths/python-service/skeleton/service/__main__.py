"""Run the service until it is asked to stop (SIGTERM or SIGINT), then finish what is running."""

from __future__ import annotations

import os
import sys

from aiohttp import web

from service import logs
from service.app import build
from service.settings import Settings
from service.traces import Traces


def main() -> None:
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        sys.exit(f"The settings cannot be read: {error}.")
    logs.configure(settings.name, settings.log_level)
    app = build(settings, Traces.from_environment(os.environ, settings.name))
    web.run_app(app, port=settings.port, shutdown_timeout=settings.drain_s, access_log=None, print=None)


if __name__ == "__main__":
    main()
