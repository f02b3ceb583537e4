"""Ask the running service whether it lives: exit code 0 when it does. The image's HEALTHCHECK."""

from __future__ import annotations

import sys
import urllib.request

from service.settings import Settings


def main() -> None:
    url = f"http://127.0.0.1:{Settings.from_environment().port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except OSError:
        sys.exit(1)


if __name__ == "__main__":
    main()
