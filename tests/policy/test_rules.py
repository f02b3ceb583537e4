"""Policy: who may ask, who must approve, and the rule that decided."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.model.operation import Need
from bot.model.platform import Environment
from bot.model.principal import Principal
from bot.policy.rules import Rule, Rules, Who, in_force, may_approve, may_ask, may_undo

ORDERS, CHECKOUT, PLATFORM = "group:default/team-orders", "group:default/team-checkout", "group:default/platform"


def person(name: str, *groups: str) -> Principal:
    return Principal(user=f"user:default/{name}", display_name=name, groups=frozenset(groups))


AUTHOR, TEAMMATE = person("author", ORDERS), person("teammate", ORDERS)
STRANGER, ENGINEER = person("stranger", CHECKOUT), person("platform", PLATFORM)


def test_a_member_of_the_owning_group_may_ask_and_the_group_approves() -> None:
    verdict = may_ask(Rules(), AUTHOR, "service.create", ORDERS)
    assert verdict.allowed
    assert verdict.need is not None
    assert verdict.need.approvers == {ORDERS}


def test_a_stranger_is_refused_with_the_names_of_who_could() -> None:
    verdict = may_ask(Rules(), STRANGER, "service.create", ORDERS)
    assert not verdict.allowed
    assert verdict.because == (
        "Only members of team-orders may use `/service create` here. Ask one of them, or platform."
    )


def test_administrators_may_ask_for_anything() -> None:
    assert may_ask(Rules(), ENGINEER, "service.create", ORDERS).allowed


def test_the_first_rule_that_fits_decides() -> None:
    rules = Rules(rules=(Rule(command="service.create", approve=Who.NONE), Rule(command="*", approve=("platform",))))
    assert may_ask(rules, AUTHOR, "service.create", ORDERS).need is None
    need = may_ask(rules, AUTHOR, "service.delete", ORDERS).need
    assert need is not None
    assert need.approvers == {PLATFORM}


def test_who_may_deploy_says_nothing_about_who_may_read_logs() -> None:
    open_to_all = {"staging": Environment.model_validate({"may_deploy": "anyone"})}
    rules = in_force(Rules(), open_to_all)
    assert may_ask(rules, STRANGER, "service.deploy", ORDERS, "staging").allowed
    assert not may_ask(rules, STRANGER, "service.logs", ORDERS, "staging").allowed
    assert not may_ask(rules, STRANGER, "health.why", ORDERS, "staging").allowed
    closed = in_force(Rules(), {"production": Environment.model_validate({"may_deploy": ["platform"]})})
    assert not may_ask(closed, AUTHOR, "service.deploy", ORDERS, "production").allowed
    assert may_ask(closed, AUTHOR, "service.logs", ORDERS, "production").allowed


def test_something_without_an_owner_is_approved_by_administrators() -> None:
    rules = Rules(rules=(Rule(may_ask=Who.ANYONE),))
    need = may_ask(rules, STRANGER, "service.create", None).need
    assert need is not None
    assert need.approvers == {PLATFORM}


def test_nobody_approves_their_own_request_unless_the_rules_say_so() -> None:
    need = Need(approvers=frozenset({ORDERS}), rule="team-orders approves")
    assert not may_approve(Rules(), need, AUTHOR, AUTHOR).allowed
    assert may_approve(Rules(), need, TEAMMATE, AUTHOR).allowed
    assert may_approve(Rules(), need.model_copy(update={"self_approval": True}), AUTHOR, AUTHOR).allowed


def test_an_administrator_does_not_approve_their_own_request_either() -> None:
    need = Need(approvers=frozenset({PLATFORM}), rule="platform approves")
    assert not may_approve(Rules(), need, ENGINEER, ENGINEER).allowed


def test_only_those_concerned_may_undo() -> None:
    assert may_undo(Rules(), AUTHOR, AUTHOR, ORDERS).allowed
    assert may_undo(Rules(), TEAMMATE, AUTHOR, ORDERS).allowed
    assert may_undo(Rules(), ENGINEER, AUTHOR, ORDERS).allowed
    refused = may_undo(Rules(), STRANGER, AUTHOR, ORDERS)
    assert not refused.allowed
    assert "author" in refused.because


@pytest.mark.parametrize("approve", ["anyone", []])
def test_a_rule_that_lets_anyone_or_nobody_approve_is_refused(approve: object) -> None:
    with pytest.raises(ValidationError, match="say `none`"):
        Rule.model_validate({"approve": approve})


def test_short_references_mean_groups_of_the_default_namespace() -> None:
    rule = Rule.model_validate({"approve": ["platform", "user:approver"]})
    assert rule.approve == (PLATFORM, "user:default/approver")


def test_what_only_the_requester_owns_is_approved_by_administrators() -> None:
    need = may_ask(Rules(), AUTHOR, "service.create", AUTHOR.user).need
    assert need is not None
    assert need.approvers == {PLATFORM}


# --- Environments -----------------------------------------------------------------------------------------------------


def in_environments(*rules: Rule, **environments: dict[str, object]) -> Rules:
    found = {name: Environment.model_validate(words) for name, words in environments.items()}
    return in_force(Rules(rules=(*rules, Rule())), found)


def test_an_environments_own_words_decide_who_deploys_and_who_approves() -> None:
    rules = in_environments(staging={}, production={"approve": ["group:default/platform"]})
    author = AUTHOR
    assert may_ask(rules, author, "service.deploy", ORDERS, "staging").need is None
    need = may_ask(rules, author, "service.deploy", ORDERS, "production").need
    assert need is not None
    assert need.approvers == {"group:default/platform"}
    assert need.rule == "somebody of platform approves /service deploy in production"


@pytest.mark.parametrize("command", ["service.rollback", "service.restart", "service.freeze", "service.unpin"])
def test_what_helps_in_an_emergency_needs_no_approval(command: str) -> None:
    rules = in_environments(production={"approve": "owner"})
    verdict = may_ask(rules, AUTHOR, command, ORDERS, "production")
    assert (verdict.allowed, verdict.need) == (True, None)


def test_a_rule_that_names_an_environment_decides_before_its_own_words() -> None:
    rule = Rule(command="service.deploy", environment="prod*", may_ask=("group:default/platform",), approve=Who.NONE)
    rules = in_environments(rule, production={"approve": "owner"})
    refused = may_ask(rules, AUTHOR, "service.deploy", ORDERS, "production")
    assert not refused.allowed
    assert "Only platform may use `/service deploy` in production." in refused.because


def test_a_general_rule_does_not_override_an_environment() -> None:
    rules = in_environments(Rule(command="service.*", approve=Who.NONE), production={"approve": "owner"})
    assert may_ask(rules, AUTHOR, "service.deploy", ORDERS, "production").need is not None


def test_strangers_deploy_nowhere_unless_the_environment_says_so() -> None:
    rules = in_environments(staging={}, sandbox={"may_deploy": "anyone"})
    stranger = STRANGER
    assert not may_ask(rules, stranger, "service.deploy", ORDERS, "staging").allowed
    assert may_ask(rules, stranger, "service.deploy", ORDERS, "sandbox").allowed


def test_what_one_hears_of_needs_no_approval_and_is_ones_own_affair() -> None:
    own = may_ask(Rules(), AUTHOR, "notifications", ORDERS)
    assert (own.allowed, own.need) == (True, None)
    mine = may_ask(Rules(), AUTHOR, "notifications", AUTHOR.user)
    assert (mine.allowed, mine.need) == (True, None)
    assert not may_ask(Rules(), AUTHOR, "notifications", STRANGER.user).allowed
    assert not may_ask(Rules(), AUTHOR, "notifications", CHECKOUT).allowed
    strict = Rules(rules=(Rule(command="notifications", approve=Who.OWNER), Rule()))
    assert may_ask(strict, AUTHOR, "notifications", ORDERS).need is not None
