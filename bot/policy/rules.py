"""Who may ask for what, and who must approve. Pure: the same question gets the same answer, with the deciding rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import BaseModel, field_validator

from bot.model.configured import People
from bot.model.duration import Duration
from bot.model.entities import full_ref
from bot.model.operation import Need
from bot.model.platform import Environment
from bot.model.previews import FORK, PREVIEW, Previews
from bot.model.principal import Principal


class Who(StrEnum):
    """Groups of people that a rule can name without listing them."""

    ANYONE = "anyone"
    """Everybody the catalog knows."""
    OWNER = "owner"
    """Members of the group that will own, or owns, what the request is about."""
    NONE = "none"


class Rule(BaseModel, frozen=True, extra="forbid"):
    """One line of the platform team's rules; the first that fits a command decides."""

    command: str = "*"
    """`service.create`, `service.*` or `*`."""
    environment: str = "*"
    """`production`, `prod-*` or `*`. A rule that names one decides before the environment's own words."""
    may_ask: Who | tuple[str, ...] = Who.OWNER
    approve: Who | tuple[str, ...] = Who.OWNER
    """`none`, `owner`, or entity references (`group:platform`, `user:approver`), any one of whom suffices."""

    @field_validator("may_ask", "approve")
    @classmethod
    def _full(cls, value: Who | tuple[str, ...]) -> Who | tuple[str, ...]:
        return value if isinstance(value, Who) else tuple(full_ref(ref, kind="group") for ref in value)

    @field_validator("approve")
    @classmethod
    def _somebody(cls, value: Who | tuple[str, ...]) -> Who | tuple[str, ...]:
        if value is Who.ANYONE or value == ():
            raise ValueError("say `none`, `owner`, or list who approves")
        return value


class Rules(BaseModel, frozen=True, extra="forbid"):
    """The `policy` part of `causeway.yaml`."""

    self_approval: bool = False
    """Whether the person who asked may approve too."""
    approval_expires: Duration = timedelta(hours=24)
    administrators: tuple[str, ...] = ("group:default/platform",)
    """They may ask for anything, and approve where nobody else can."""
    rules: tuple[Rule, ...] = (Rule(),)

    @field_validator("administrators")
    @classmethod
    def _full(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(full_ref(ref, kind="group") for ref in value)


class RulesInForce(Rules, frozen=True):
    """The rules as they are written, and those that the platform's environments stand for."""

    of_environments: tuple[Rule, ...] = ()


class Verdict(BaseModel, frozen=True):
    """`allowed`; when approval is needed too, `need` says whose. `because` names the rule and who could help."""

    allowed: bool
    because: str
    need: Need | None = None
    expires_after: timedelta = timedelta(hours=24)


def may_ask(rules: Rules, principal: Principal, command: str, owner: str | None, environment: str = "") -> Verdict:
    """Decide on a request: refused, allowed at once, or allowed once somebody has approved."""
    rule = rule_for(rules, command, environment)
    where = f" in {environment}" if environment else ""
    if not (_fits(principal, rule.may_ask, owner) or _is_any(principal, rules.administrators)):
        return Verdict(
            allowed=False,
            because=f"Only {_people(rule.may_ask, owner)} may use `{_spoken(command)}`{where or ' here'}. "
            f"Ask one of them, or {_names(rules.administrators)}.",
        )
    approvers = _references(rule.approve, owner)
    if rule.approve is Who.NONE:
        return Verdict(allowed=True, because=f"`{_spoken(command)}`{where} needs no approval.")
    if not approvers or set(approvers) == {principal.user}:
        # Nobody owns it, or only the person who asks does: somebody else must still look.
        approvers = rules.administrators
    need = Need(
        approvers=frozenset(approvers),
        rule=f"somebody of {_names(approvers)} approves {_spoken(command)}{where}",
        self_approval=rules.self_approval,
    )
    return Verdict(allowed=True, because=need.rule, need=need, expires_after=rules.approval_expires)


def may_approve(rules: Rules, need: Need, principal: Principal, asked_by: Principal) -> Verdict:
    """Decide at click time, on the clicker."""
    if principal.user == asked_by.user and not need.self_approval:
        return Verdict(
            allowed=False,
            because=f"You asked for this yourself, so somebody else of {_names(need.approvers)} approves it.",
        )
    if _is_any(principal, need.approvers) or _is_any(principal, rules.administrators):
        return Verdict(allowed=True, because=need.rule)
    return Verdict(allowed=False, because=f"Only {_names(need.approvers)} can decide this.")


def may_undo(rules: Rules, principal: Principal, asked_by: Principal, owner: str | None) -> Verdict:
    """The person who asked, the owning group and the administrators may take an operation back."""
    if principal.user == asked_by.user or _is_any(principal, [owner or "", *rules.administrators]):
        return Verdict(allowed=True, because="the requester, the owners and the platform team may undo")
    people = _names([asked_by.user, *([owner] if owner else [])])
    return Verdict(allowed=False, because=f"Only {people} or {_names(rules.administrators)} can undo this.")


def rule_for(rules: Rules, command: str, environment: str = "") -> Rule:
    """The first rule that fits; none fits: owners ask, owners approve.

    Where an environment is changed: first the rules that name one, then that environment's own words, then the others.
    What people do about an alert, and what they want to hear of, needs no approval, unless a rule speaks of those
    commands: then it holds.
    """
    own = rules.of_environments if isinstance(rules, RulesInForce) and command not in READS else ()
    named = [rule for rule in rules.rules if rule.environment != "*"]
    general = [rule for rule in rules.rules if rule.environment == "*"]
    special = [rule for rule in general if rule.command != "*"]
    in_order = (*named, *own, *special, *AT_ONCE, *general)
    return next((rule for rule in in_order if _is_about(rule, command, environment)), Rule())


AT_ONCE = tuple(Rule(command=command, approve=Who.NONE) for command in ("alert.*", "incident.*", "notifications"))
"""The owner of an alert decides about it, at once: nobody waits for an approval while it burns. And what one wants to
hear of is one's own affair."""

CHANGES_WHAT_RUNS = ("service.deploy", "service.promote", "service.scale", "database.request", "database.resize")
"""What an environment's `approve` is about. Rolling back, restarting and freezing help in an emergency: whoever may
deploy there may do them at once."""

TOUCHES_DATA = ("database.delete", "database.connect")
"""Where nobody else must approve, the owner does: somebody besides the person who asks has to know of it."""

READS = ("service.logs", "database.show", "preview.show", "health.why")
"""What only reads. Who may deploy in an environment says nothing about who may read there, so its own words on that do
not count; a rule of the platform team that names the environment does."""


def in_force(rules: Rules, environments: Mapping[str, Environment], previews: Previews | None = None) -> RulesInForce:
    """Return the rules together with what the environments say by their `may_deploy` and `approve`."""
    own = [
        Rule.model_validate({"command": command, "environment": name, "may_ask": there.may_deploy, "approve": approve})
        for name, there in environments.items()
        for command, approve in _approvals(there)
    ]
    if previews is not None:
        own += [
            Rule.model_validate(
                {"command": command, "environment": name, "may_ask": previews.may_ask, "approve": approve}
            )
            for name, first in ((PREVIEW, previews.approve), (FORK, previews.approve_forks))
            for command, approve in (("preview.up", first), ("preview.*", "none"))
        ]
    return RulesInForce(**dict(rules), of_environments=tuple(own))


def _approvals(there: Environment) -> Iterator[tuple[str, People]]:
    yield from ((command, there.approve) for command in CHANGES_WHAT_RUNS)
    yield from ((command, "owner" if there.approve == "none" else there.approve) for command in TOUCHES_DATA)
    yield from (("service.*", "none"), ("database.*", "none"))


def _is_about(rule: Rule, command: str, environment: str) -> bool:
    if rule.environment != "*" and not (environment and fnmatchcase(environment, rule.environment)):
        return False
    return fnmatchcase(command, rule.command)


def _fits(principal: Principal, who: Who | tuple[str, ...], owner: str | None) -> bool:
    match who:
        case Who.ANYONE:
            return True
        case Who.NONE:
            return False
        case Who.OWNER:
            return owner is not None and principal.is_or_belongs_to(owner)
        case references:
            return _is_any(principal, references)


def _is_any(principal: Principal, references: Sequence[str] | frozenset[str]) -> bool:
    return any(principal.is_or_belongs_to(reference) for reference in references)


def _references(who: Who | tuple[str, ...], owner: str | None) -> tuple[str, ...]:
    if isinstance(who, tuple):
        return who
    return (owner,) if who is Who.OWNER and owner else ()


def _people(who: Who | tuple[str, ...], owner: str | None) -> str:
    if isinstance(who, tuple):
        return _names(who)
    if who is Who.NONE:
        return "administrators"
    return f"members of {_names([owner])}" if owner else "the owners of what it is about"


def _names(references: Sequence[str] | frozenset[str]) -> str:
    """`group:default/team-orders` → `team-orders`, several joined with `or`."""
    names = sorted({reference.rpartition("/")[2] for reference in references})
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _spoken(command: str) -> str:
    return "/" + (command.replace(".", " ") if "." in command else f"idp {command}")
