"""Why something is not healthy, in one sentence and one next step; pure but for reading what it looks at."""

from bot.health.diagnosis import why_stuck
from bot.health.facts import StuckFacts
from bot.health.reading import read_stuck_facts
from bot.health.reason import Reason
from bot.health.redaction import redact, redact_lines
from bot.health.rollout import Wanted, carries, progress

__all__ = [
    "Reason",
    "StuckFacts",
    "Wanted",
    "carries",
    "progress",
    "read_stuck_facts",
    "redact",
    "redact_lines",
    "why_stuck",
]
