"""What a repository remembers of the golden path that made it, for later upgrades."""

from __future__ import annotations

from collections.abc import Mapping

from bot.golden_paths.documents import dump_document
from bot.golden_paths.library import GoldenPath
from bot.model.canonical import JSON
from bot.ports import File

PROVENANCE = ".causeway/template.yaml"

_HEAD = """\
# Written by Causeway: the golden path that made this repository, and the answers it was given.
# Keep this file: upgrades of the golden path start from it.
"""


def provenance_file(path: GoldenPath, answers: Mapping[str, JSON]) -> File:
    """Return the file; answers to fields that the template marks as secret are left out."""
    secret = path.template.secret_fields()
    document = {
        "template": path.template.reference,
        "title": path.template.title,
        "source": path.source,
        "commit": path.commit or None,
        "revision": path.revision,
        "answers": {name: answers[name] for name in sorted(answers) if name not in secret},
    }
    return File(path=PROVENANCE, content=(_HEAD + dump_document(document)).encode())
