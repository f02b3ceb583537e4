"""Who and where: the workspace's people, their groups and its channels."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from playground.slack.refusals import ClientRefusal
from playground.slack.store import Json, Store
from playground.slack.stream import Stream

SLACKBOT = "USLACKBOT"
PARTNER_TEAM = "T0PARTNER01"
TEAM_DOMAIN = "acme"


class Directory:
    """People and channels by id, handle and name. What changes is stored and told to the stream."""

    def __init__(self, store: Store, stream: Stream, sample: ModuleType) -> None:
        self._store = store
        self._stream = stream
        self.sample = sample
        self.team_id: str = sample.TEAM_ID
        self.bot_user: str = sample.BOT_USER
        self.bot_id: str = sample.BOT_ID
        self.app_id: str = sample.APP_ID
        self.app_name: str = sample.BOT_NAME
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}

    def load(self) -> None:
        """Read an earlier run's people and channels; what the sample has and they have not is added."""
        users = {user["id"]: user for user in self._store.all("user")}
        channels = {channel["id"]: channel for channel in self._store.all("channel")}
        with self._store.together():
            for user in self._seeded_users():
                self._keep_user(users.pop(user["id"], user))
            for channel in self._seeded_channels():
                self._keep_channel(channels.pop(channel["id"], channel))
        self.users.update(users)
        self.channels.update(channels)

    def _seeded_users(self) -> list[Json]:
        people = [
            _user(
                person.slack_id,
                person.handle,
                person.name,
                person.email,
                PARTNER_TEAM if person.is_outsider else self.team_id,
                groups=list(person.groups),
                is_restricted=person.is_guest,
                is_ultra_restricted=person.is_guest,
                is_external=person.is_outsider,
            )
            for person in self.sample.PEOPLE
        ]
        bot = _user(self.bot_user, self.app_name.lower(), self.app_name, None, self.team_id, is_bot=True)
        slackbot = _user(SLACKBOT, "slackbot", "Slackbot", None, self.team_id)
        return [*people, bot, slackbot]

    def _seeded_channels(self) -> list[Json]:
        ids = {person.handle: person.slack_id for person in self.sample.PEOPLE}
        rooms = [
            _channel(
                room.slack_id,
                room.name,
                purpose=room.purpose,
                members=[*(ids[handle] for handle in room.members), self.bot_user],
                is_ext_shared=room.is_shared,
            )
            for room in self.sample.CHANNELS
        ]
        direct = [self._direct(person.slack_id) for person in self.sample.PEOPLE]
        return [*rooms, *direct]

    def _direct(self, user: str) -> Json:
        channel_id = "D" + user[1:]
        return _channel(channel_id, channel_id, members=[user, self.bot_user], is_im=True, user=user, is_private=True)

    def user(self, name: str) -> Json:
        """Return the user with that id or handle."""
        found = self.users.get(name) or next((u for u in self.users.values() if u["name"] == name.lstrip("@")), None)
        if found is None:
            raise ClientRefusal(404, "user_not_found", f"There is no user `{name}` in this workspace.")
        return found

    def channel(self, name: str) -> Json:
        """Return the channel with that id or name."""
        found = self.find_channel(name)
        if found is None:
            raise ClientRefusal(404, "channel_not_found", f"There is no channel `{name}` in this workspace.")
        return found

    def find_channel(self, name: str) -> Json | None:
        bare = name.lstrip("#")
        by_name = (channel for channel in self.channels.values() if channel["name"] == bare)
        return self.channels.get(name) or next(by_name, None)

    def open_direct(self, user: str) -> Json:
        """Return the app's IM with a user."""
        channel = self.channels.get("D" + user[1:])
        return channel or self._keep_channel(self._direct(user), tell=True)

    def create(self, name: str, members: list[str], *, is_private: bool, bot: bool, creator: str = "") -> Json:
        if self.find_channel(name):
            raise ClientRefusal(409, "name_taken", f"There is a channel `{name}` already.")
        number = sum(1 for channel in self.channels.values() if not channel["is_im"])
        everyone = [self.user(member)["id"] for member in members] + ([self.bot_user] if bot else [])
        channel = _channel(f"C0{number:08d}N", name, members=everyone, is_private=is_private, creator=creator)
        return self._keep_channel(channel, tell=True)

    def change_channel(self, channel: Json, **fields: Any) -> Json:
        channel.update(fields)
        return self._keep_channel(channel, tell=True)

    def join(self, channel: Json, user: str) -> Json:
        if user in channel["members"]:
            return channel
        return self.change_channel(channel, members=[*channel["members"], user])

    def leave(self, channel: Json, user: str) -> Json:
        return self.change_channel(channel, members=[member for member in channel["members"] if member != user])

    def change_user(self, user: Json, **flags: bool) -> Json:
        user.update(flags)
        self._keep_user(user)
        self._stream.add("user_changed", user=user)
        return user

    def sim_channel(self, channel: Json) -> Json:
        return {
            **channel,
            "last_ts": self._store.newest_ts(channel["id"]),
            "bot_is_member": self.bot_user in channel["members"],
        }

    def _keep_user(self, user: Json) -> None:
        self.users[user["id"]] = user
        self._store.put("user", user["id"], user)

    def _keep_channel(self, channel: Json, *, tell: bool = False) -> Json:
        self.channels[channel["id"]] = channel
        self._store.put("channel", channel["id"], channel)
        if tell:
            self._stream.add("channel_changed", channel=self.sim_channel(channel))
        return channel


def _user(user_id: str, handle: str, name: str, email: str | None, team_id: str, **flags: Any) -> Json:
    return {
        "id": user_id,
        "name": handle,
        "real_name": name,
        "email": email,
        "team_id": team_id,
        "groups": [],
        "is_bot": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_stranger": False,
        "is_external": False,
        "deleted": False,
        **flags,
    }


def _channel(channel_id: str, name: str, members: list[str], **fields: Any) -> Json:
    return {
        "id": channel_id,
        "name": name,
        "topic": "",
        "purpose": "",
        "creator": "",
        "members": members,
        "is_private": False,
        "is_im": False,
        "user": None,
        "is_archived": False,
        "is_ext_shared": False,
        **fields,
    }
