"""Texts of a document whose form Kubernetes prescribes. Each says in a sentence what is wrong and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Strict
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bot.model.web_service.cron import check_cron, check_time_zone

MOST_SHOWN = 60
"""Characters of a wrong value that a sentence repeats."""

LABEL = r"[a-z]([a-z0-9-]*[a-z0-9])?"
_PORT = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_DOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern that the whole text must fit, and the sentence for one that does not."""

    pattern: str
    mend: str
    longest: int
    shown: bool = True
    """Whether the sentence repeats the value; never where it could be a secret."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": f"^({self.pattern})$", "maxLength": self.longest}

    def check(self, value: str) -> str:
        if len(value) > self.longest:
            raise wrong(f"is {len(value)} characters long; {self.longest} are the most")
        if re.fullmatch(self.pattern, value) is None:
            raise wrong(f"`{shown(value)}` {self.mend}" if self.shown else self.mend)
        return value


def wrong(sentence: str) -> PydanticCustomError:
    """Return the error whose text is `sentence` as it stands, braces included."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def shown(value: str) -> str:
    """Return so much of a wrong value as fits into a sentence, in one line."""
    line = "".join(character if character.isprintable() else "·" for character in value[:MOST_SHOWN])
    return line + ("…" if len(value) > MOST_SHOWN else "")


def _checked_by(check: Callable[[str], str | None]) -> AfterValidator:
    def apply(value: str) -> str:
        sentence = check(value)
        if sentence is not None:
            raise wrong(sentence)
        return value

    return AfterValidator(apply)


Integer = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Text = Annotated[
    str, Field(max_length=4096), _checked_by(lambda value: "holds the character U+0000" if "\0" in value else None)
]

ServiceName = Annotated[
    str,
    Shape(
        LABEL,
        "is not a name: use small letters, digits and dashes, starting with a letter, such as `orders-api`",
        45,
    ),
]
"""Shorter than Kubernetes allows, so that `<name>-cache` and a database cluster of that name fit as well."""

ObjectName = Annotated[str, Shape(_DOMAIN, "is not a Kubernetes name: use small letters, digits, dashes and dots", 253)]
ShortName = Annotated[str, Shape(LABEL, "is not a name: use small letters, digits and dashes, such as `uploads`", 40)]
PortName = Annotated[
    str, Shape(_PORT, "is not a port's name: use at most 15 small letters, digits and dashes, such as `http`", 15)
]
NamespaceName = Annotated[str, Shape(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "is not the name of a namespace", 63)]
WordOfPlatform = Annotated[str, Shape(LABEL, "is not a word of the platform, such as `small`", 63)]

EnvName = Annotated[
    str,
    Shape(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "is not the name of an environment variable: use letters, digits and underscores, such as `LOG_LEVEL`",
        128,
    ),
]
SecretKey = Annotated[str, Shape(r"[A-Za-z0-9._-]+", "is not a key of a Secret, such as `api-key`", 253)]
LabelKey = Annotated[
    str,
    Shape(
        rf"({_DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?",
        "is not a label's key, such as `cost-center` or `acme.com/cost-center`",
        317,
    ),
]
LabelValue = Annotated[
    str,
    Shape(
        r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?",
        "is not a label's value: use at most 63 letters, digits, dashes, dots and underscores",
        63,
    ),
]

_IMAGE_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
Image = Annotated[
    str,
    Shape(
        r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/)?"
        rf"{_IMAGE_PART}(/{_IMAGE_PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(@sha256:[0-9a-f]{{64}})?|",
        "is not an image: write `name:tag` or `registry/owner/name:tag`, the name in small letters",
        400,
    ),
]
Size = Annotated[
    str,
    Shape(
        r"([1-9][0-9]*(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)(Ki|Mi|Gi|Ti|k|M|G|T)",
        "is not an amount of memory or disk; write `256Mi` or `10Gi`",
        20,
    ),
]


def _host(value: str) -> str | None:
    if "://" in value:
        return f"write the host alone, without `{shown(value.partition('://')[0])}://` and without a path"
    if "/" in value:
        return "write the host alone; a path belongs under `paths`"
    if re.fullmatch(r"[^:]*:[0-9]+", value):
        return "write the host without a port; addresses from outside always answer at 443 and 80"
    if value != value.lower() and _host(value.lower()) is None:
        return f"write the host in small letters: `{shown(value.lower())}`"
    if re.fullmatch(r"[0-9.]+", value):
        return "is an address; an ingress needs a host name, such as `api.example.com`"
    if re.fullmatch(rf"(\*\.)?{_DOMAIN}", value) is None:
        return f"`{shown(value)}` is not a host name, such as `api.example.com`"
    if any(len(label) > 63 for label in value.split(".")):
        return "has a part of more than 63 characters between its dots"
    return None


def _path(value: str) -> str | None:
    if not value.startswith("/"):
        return f"must begin with a slash: `/{shown(value)}`"
    if "//" in value or {".", ".."} & set(value.split("/")):
        return "may hold no empty part, no `.` and no `..` between its slashes"
    if "%2f" in value.lower():
        return "may hold no `%2F`: Kubernetes takes no slash in disguise"
    if re.fullmatch(r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]+", value) is None:
        return f"`{shown(value)}` holds a character that a path of an address may not hold as it stands"
    return None


def _mount_path(value: str) -> str | None:
    if not value.startswith("/") or value == "/":
        return "must be an absolute path below the root, such as `/data`"
    if "//" in value or {".", ".."} & set(value.split("/")) or ":" in value or not value.isprintable():
        return "may hold no colon, no empty part, no `.` and no `..` between its slashes"
    return None


WebAddress = Annotated[
    str, Shape(r"https?://[^\s\"'<>`\\|{}]+", "is not an address; write it with `https://` and without blanks", 2000)
]
Host = Annotated[
    str, Field(max_length=253, json_schema_extra={"pattern": rf"^((\*\.)?{_DOMAIN})?$"}), _checked_by(_host)
]
UrlPath = Annotated[str, Field(max_length=512, json_schema_extra={"pattern": "^/"}), _checked_by(_path)]
MountPath = Annotated[str, Field(max_length=512, json_schema_extra={"pattern": "^/[^:]+$"}), _checked_by(_mount_path)]
Cron = Annotated[str, Field(max_length=200), _checked_by(check_cron)]
TimeZone = Annotated[str, Field(max_length=64), _checked_by(check_time_zone)]
