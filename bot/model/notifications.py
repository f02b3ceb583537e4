"""What a team's channel, and a person, want to hear of by themselves, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class News(StrEnum):
    """Kinds of what is told without anybody having asked just then."""

    DEPLOYS = "deploys"
    """Automatic deploys, and pins that let go."""
    PREVIEWS = "previews"
    """Previews that pull requests make and end, and those that fall asleep."""
    ENDINGS = "endings"
    """Previews whose end is near."""
    DATABASES = "databases"
    CI = "ci"
    """CI of the main branch that fails, and is well again."""
    SYNC = "sync"
    """Deliveries that Argo CD cannot apply."""
    ORPHANS = "orphans"
    """What the nightly sweep found."""
    ALERTS = "alerts"
    """Warnings and information. Critical alerts are no matter of taste."""


class Wish(StrEnum):
    """How a team wants to hear of one kind."""

    EACH = "each"
    TROUBLE = "trouble"
    """Only what went wrong or waits for somebody."""
    DAILY = "daily"
    """One summary a day, trouble at once."""
    NOTHING = "nothing"
    """Nothing, except trouble that somebody has to deal with."""


class Personal(StrEnum):
    """What a person is told directly."""

    APPROVALS = "approvals"
    """Requests that wait for their approval."""
    ENDED = "ended"
    """What they asked for has ended."""
    ENDINGS = "endings"
    """Previews of theirs are about to end."""
    ASSIGNED = "assigned"
    """An alert was given to them."""


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class QuietHours(_Part):
    """Hours in which only what cannot wait is told. An end at or before the begin means: on the next day."""

    begin: time
    end: time
    zone: str
    """A time zone by its name: `Europe/Berlin`."""
    days: tuple[str, ...] = WEEKDAYS
    """On which the quiet begins, in that zone."""
    whole_days: tuple[str, ...] = ()
    """Which are quiet from midnight to midnight: `("saturday", "sunday")`."""

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError, told below
            raise ValueError(f"`{value[:40]}` is no time zone; write one as `Europe/Berlin` or `UTC`") from error
        except KeyError as error:
            raise ValueError(f"`{value[:40]}` is no time zone; write one as `Europe/Berlin` or `UTC`") from error
        return value

    @field_validator("days", "whole_days")
    @classmethod
    def _weekdays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [day for day in value if day not in WEEKDAYS]
        if wrong:
            raise ValueError(f"`{wrong[0][:20]}` is no day of the week")
        return tuple(day for day in WEEKDAYS if day in value)

    @model_validator(mode="after")
    def _ends(self) -> QuietHours:
        if set(self.whole_days) == set(WEEKDAYS):
            raise ValueError("some day has to be left in which things can be told")
        return self

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet that holds at `now` is over, in UTC; None where none holds."""
        zone = ZoneInfo(self.zone)
        end: datetime | None = None
        moment = now
        for _ in range(2 * len(WEEKDAYS) + 2):  # one quiet may begin where another ends
            found = self._window_at(moment, zone)
            if found is None:
                return end
            end = moment = found.astimezone(now.tzinfo)
        return end

    def _window_at(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the end of a quiet that holds at this moment. The last one to end, where several do."""
        here = now.astimezone(zone)
        ends = []
        for back in (0, 1):
            day = here.date() - timedelta(days=back)
            name = WEEKDAYS[day.weekday()]
            if name in self.whole_days:
                begin = datetime.combine(day, time(0), zone)
                ends.append((begin, datetime.combine(day + timedelta(days=1), time(0), zone)))
            if name in self.days and self.begin != self.end:
                over = day if self.end > self.begin else day + timedelta(days=1)
                ends.append((datetime.combine(day, self.begin, zone), datetime.combine(over, self.end, zone)))
        # Compared in UTC: twice a year an hour of the wall clock happens twice, or never.
        holding = [end for begin, end in ends if begin.timestamp() <= now.timestamp() < end.timestamp()]
        return max(holding, key=lambda end: end.timestamp(), default=None)


class TeamWishes(_Part):
    """What a team's channel gets. What is not named comes one by one."""

    news: Mapping[News, Wish] = Field(default_factory=dict)
    quiet: QuietHours | None = None

    def wish(self, news: News) -> Wish:
        return self.news.get(news, Wish.EACH)


class PersonalWishes(_Part):
    """What a person is told directly, beside what stands in their channels."""

    told: frozenset[Personal] = frozenset({Personal.ASSIGNED})
    quiet: QuietHours | None = None
