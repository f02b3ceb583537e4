"""Who pressed it: Slack user → verified e-mail → person of the catalog. Everybody else hears whom to ask."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from bot.errors import Refused
from bot.model.principal import Principal
from bot.ports import Clock
from bot.slack.contracts import Directory, Web
from bot.storage.database import Database
from bot.storage.slack_inbound import identities

WELCOME_S = 300.0
"""How long a person who was let in is not looked up again, in seconds."""
GREETING_S = 24 * 3600.0
"""How old that may be for opening a form: nothing is decided by it."""
PAGE = 200
MOST_PAGES = 50
REFUSED_S = 300.0
"""The same for one who was refused: mistakes are mended while somebody waits."""
MAX_REMEMBERED = 10_000

_SENTENCES = {
    "bot": "Bots cannot use Causeway.",
    "deleted": "This Slack account is deactivated, so it cannot use Causeway.",
    "guest": "Guests of this workspace cannot use Causeway.",
    "outsider": "People from other organisations cannot use Causeway.",
    "unverified": "Your Slack account has no verified e-mail address, so I cannot tell who you are.",
    "unknown": "I do not find your e-mail address in the catalog, so I do not know which teams you belong to.",
}


@dataclass(frozen=True, slots=True)
class _Account:
    """What Slack says about somebody: an e-mail address or a reason to refuse."""

    email: str
    name: str
    refusal: str
    checked_at: float


class Identities:
    """Recognises people. What Slack said about them is kept; what the catalog says is asked each time."""

    def __init__(
        self, *, database: Database, web: Web, directory: Directory, clock: Clock, contact: str, home_team: str = ""
    ) -> None:
        """`contact` is where refused people ask (`#platform`). Without `home_team` Slack is asked for it once."""
        self._database = database
        self._web = web
        self._directory = directory
        self._clock = clock
        self._contact = contact
        self._home_team = home_team
        self._memory: OrderedDict[tuple[str, str], _Account] = OrderedDict()

    async def known(self, user: str, team: str) -> Principal | None:
        """Return the person if no network is needed for it, else None. Raise `Refused` as `resolve` does.

        Good enough to open a form; what is decided with it is decided after `resolve`.
        """
        account = await self._remembered(user, team, GREETING_S)
        return self._principal(account, user) if account else None

    async def resolve(self, user: str, team: str) -> Principal:
        """Raise `Refused` with a sentence for whoever may not use Causeway, `UpstreamUnavailable` without Slack."""
        account = await self._remembered(user, team) or await self._ask(user, team)
        return self._principal(account, user)

    async def warm(self) -> None:
        """Learn who the catalog's people are in Slack, so that their first form opens without asking."""
        home_team = await self._home()
        cursor = ""
        for _ in range(MOST_PAGES):
            page: dict[str, Any] = {"cursor": cursor} if cursor else {}
            answer = await self._web.call("users.list", limit=PAGE, **page)
            for about in answer.get("members", []):
                account = self._account(about, home_team, "")
                if account.email and self._directory.principal_by_email(account.email):
                    await self._keep(str(about["id"]), home_team, account)
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def _principal(self, account: _Account, user: str) -> Principal:
        if account.refusal:
            raise self._refused(account.refusal)
        person = self._directory.principal_by_email(account.email)
        if person is None:
            raise self._refused("unknown")
        return person.model_copy(update={"slack_user": user})

    def _refused(self, reason: str) -> Refused:
        return Refused(_SENTENCES[reason], hint=f"Ask in {self._contact} for access.")

    async def _remembered(self, user: str, team: str, welcome_s: float = WELCOME_S) -> _Account | None:
        account = self._memory.get((team, user))
        if account is None:
            mine = (identities.c.team == team) & (identities.c.user == user)
            columns = (identities.c.email, identities.c.name, identities.c.refusal, identities.c.checked_at)
            async with self._database.read() as connection:
                row = (await connection.execute(select(*columns).where(mine))).one_or_none()
            account = _Account(*row) if row else None
        if account is None or self._is_stale(account, welcome_s):
            return None
        self._remember(team, user, account)
        return account

    def _is_stale(self, account: _Account, welcome_s: float) -> bool:
        age = self._clock().timestamp() - account.checked_at
        return age > (REFUSED_S if account.refusal else welcome_s)

    def _remember(self, team: str, user: str, account: _Account) -> None:
        self._memory[team, user] = account
        self._memory.move_to_end((team, user))
        if len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)

    async def _ask(self, user: str, team: str) -> _Account:
        home_team = await self._home()
        found = (await self._web.call("users.info", user=user)).get("user")
        account = self._account(found if isinstance(found, dict) else {}, home_team, team)
        await self._keep(user, team, account)
        return account

    async def _home(self) -> str:
        if not self._home_team:
            self._home_team = str((await self._web.call("auth.test")).get("team_id", ""))
        return self._home_team

    def _account(self, about: Mapping[str, Any], home_team: str, team: str) -> _Account:
        """Read what Slack says about somebody; `team` is where they act, if that is known."""
        profile = about.get("profile") or {}
        refusal = _refusal(about, home_team, team)
        email = "" if refusal else str(profile.get("email") or "").strip().lower()
        if not refusal and (not email or about.get("is_email_confirmed") is False):
            refusal, email = "unverified", ""
        return _Account(email, str(about.get("real_name") or ""), refusal, self._clock().timestamp())

    async def _keep(self, user: str, team: str, account: _Account) -> None:
        about = {
            "email": account.email,
            "name": account.name,
            "refusal": account.refusal,
            "checked_at": account.checked_at,
        }
        # Two replicas may learn of the same person at the same time.
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(identities)
        row = insert.values(team=team, user=user, **about)
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["team", "user"], set_=about))
        self._remember(team, user, account)


def _refusal(about: Mapping[str, Any], home_team: str, team: str) -> str:
    """Return why Slack's word on the person suffices to refuse them, or an empty text."""
    if not about:
        return "outsider"  # Slack tells nothing about strangers of shared channels
    if about.get("deleted"):
        return "deleted"
    if about.get("is_bot") or about.get("id") == "USLACKBOT":
        return "bot"
    teams = {about.get("team_id"), *((about.get("enterprise_user") or {}).get("teams") or ())}
    if about.get("is_stranger") or home_team not in teams or (team and team not in teams):
        return "outsider"
    if about.get("is_restricted") or about.get("is_ultra_restricted"):
        return "guest"
    return ""
