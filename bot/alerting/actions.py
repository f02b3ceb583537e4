"""The buttons of an alert's card, by their `action_id`s. Their value is the group's id.

Of the runbook's step it is followed by a point and the fingerprint of the line that was shown (`bot.alerting.steps`).
"""

from __future__ import annotations

ACKNOWLEDGE = "acknowledge"
SILENCE = "silence"
ASSIGN = "assign"
ESCALATE = "escalate"
WHY = "why"
ROLLBACK = "rollback"
RUNBOOK = "runbook"
INCIDENT = "incident"
ADOPT = "adopt"

ACTIONS = (ACKNOWLEDGE, SILENCE, ASSIGN, ESCALATE, WHY, ROLLBACK, RUNBOOK, INCIDENT, ADOPT)
