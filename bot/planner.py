"""Commands and policy, as the operations engine meets them."""

from __future__ import annotations

from bot.command import Context
from bot.deps import Deps
from bot.errors import Refused
from bot.intake import Registry, request_of
from bot.model.operation import Asked, OperationView
from bot.model.principal import Principal
from bot.operations.contracts import Allowed, Denied, NeedsApproval, Planned
from bot.policy.rules import Rules, Verdict, may_approve, may_ask, may_undo


class CommandPlanner:
    """Satisfies `bot.operations.contracts.Planner`."""

    def __init__(self, registry: Registry, deps: Deps, rules: Rules) -> None:
        self._registry = registry
        self._deps = deps
        self._rules = rules

    async def plan(self, asked: Asked) -> Planned:
        """Read the facts, plan, and let policy decide on the plan's owner.

        Where the request alone says who owns it, policy is asked first: nobody spends the forge's patience on what
        they may not do. Raise `Refused` then. An owner that does not exist has no members to send anybody to: reading
        the facts says so.
        """
        command = self._registry.changing(asked.command)
        request = request_of(command, asked.request)
        owner = command.owner(request)
        environment = command.environment(request) if command.environment else ""
        early = may_ask(self._rules, asked.principal, asked.command, owner, environment)
        is_known = command.environment is None or environment != ""
        if owner is not None and is_known and self._deps.catalog().get(owner) and not early.allowed:
            raise Refused(early.because)
        context = Context(
            operation=asked.operation,
            principal=asked.principal,
            door=asked.door,
            now=asked.now,
            channel=asked.origin.slack_channel,
        )
        plan = command.plan(request, await command.facts(request, context, self._deps))
        if plan.agreed:
            return Planned(plan, Allowed())
        verdict = may_ask(self._rules, asked.principal, asked.command, plan.owner, plan.environment)
        return Planned(plan, _decision(verdict))

    async def may_approve(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        if view.need is None:
            return Denied("Nobody has to approve this.")
        return _answer(may_approve(self._rules, view.need, principal, view.principal))

    async def may_undo(self, view: OperationView, principal: Principal) -> Allowed | Denied:
        owner = view.plan.owner if view.plan else None
        return _answer(may_undo(self._rules, principal, view.principal, owner))


def _decision(verdict: Verdict) -> Allowed | NeedsApproval | Denied:
    if not verdict.allowed:
        return Denied(verdict.because)
    return NeedsApproval(verdict.need, verdict.expires_after) if verdict.need else Allowed()


def _answer(verdict: Verdict) -> Allowed | Denied:
    return Allowed() if verdict.allowed else Denied(verdict.because)
