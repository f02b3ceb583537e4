"""The buttons of an alert's card, by their `action_id`s. Their value is the group's id."""

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
