"""Platform documents that are wrong, as people meet them: `causeway render` before the push, Slack after it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.cli import main
from tests.scenario.test_day_two import NAME, card_of, created, image_of, live, written
from tests.scenario.world import World, spoken, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAD = f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: {NAME}}}\n"
RIGHT = f"{HEAD}spec: {{image: acme/{NAME}}}\n"
BOMB = "".join(f"  x{n}: &x{n} [{', '.join(['*a' if n == 0 else f'*x{n - 1}'] * 9)}]\n" for n in range(9))
EVERYTHING = f"""{HEAD}spec:
  image: acme/{NAME}
  replica: 3
  size: 2
  ports: [{{name: http, port: 70000}}]
  ingress: {{host: "Bad Host!", paths: [orders]}}
  env: {{A: yes, b-c: "3"}}
  volumes: [{{name: data, size: ten, path: data}}]
  schedule: "99 * * * *"
  egress: [{{cidr: 10.0.0.0/99}}]
  environments: {{staging: {{replicas: two}}}}
"""
DOCUMENTS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "everything at once": (
        EVERYTHING.encode(),
        (
            "spec.replica: is not a field; did you mean `replicas`?",
            "spec.size: is a number and must be a text; write it in quotes",
            "spec.ports[0].port: may be at most 65535",
            "spec.ingress.host: `Bad Host!` is not a host name, such as `api.example.com`",
            "spec.ingress.paths[0]: must begin with a slash: `/orders`",
            "spec.env.A: `yes` is read differently by different readers of YAML; write `true` or `false`, or quotes",
            "spec.env.b-c: `b-c` is not the name of an environment variable: use letters, digits and underscores",
            "spec.volumes[0].size: `ten` is not an amount of memory or disk; write `256Mi` or `10Gi`",
            "spec.volumes[0].path: must be an absolute path below the root, such as `/data`",
            "spec.schedule: the minute `99` lies outside 0 to 59",
            "spec.egress[0]: `cidr` is not a range of addresses, such as `203.0.113.0/24`",
            "spec.environments.staging.replicas: is a text and must be a whole number; write it without quotes",
        ),
    ),
    "a bomb": (
        f"{HEAD}spec:\n  env: &a {{A: a}}\n{BOMB}".encode(),
        ("line 10: the file holds more than 20,000 values, its aliases expanded; write less or split it",),
    ),
    "an alias of itself": (
        f"{HEAD}spec: &s {{env: *s}}\n".encode(),
        ("line 4: the alias `*s` stands inside itself",),
    ),
    "too deep": (f"{HEAD}spec: {'[' * 60}{']' * 60}".encode(), ("line 4: is nested more than 40 levels deep",)),
    "one of several": (
        f"{RIGHT}---\n{HEAD.replace(NAME, 'other-api')}spec: {{image: acme/other-api, replicas: -1}}\n".encode(),
        ("documents[1].spec.replicas: must be at least 0",),
    ),
    "the same twice": (
        f"{RIGHT}---\n{RIGHT}".encode(),
        (f"documents[1].metadata.name: `{NAME}` is the name of an earlier document too; names must differ",),
    ),
    "a tab": (f"{HEAD}spec:\n\treplicas: 3\n".encode(), ("line 5: is not YAML: ", "indent with blanks")),
    "another encoding": (
        f"{HEAD}spec: {{env: {{A: ".encode() + b"\xe9}}\n",
        ("line 4: is not UTF-8; save the file in that encoding",),
    ),
    "another kind": (f"{RIGHT}".replace("WebService", "Deployment").encode(), ("kind: must be `WebService`",)),
    "nothing": (b"# later\n", ("there is no document; write one with `apiVersion: platform.company.io/v1`",)),
    "a key twice": (
        f"{HEAD}spec: {{replicas: 2, replicas: 3}}\n".encode(),
        ("spec.replicas: is given twice; keep one",),
    ),
}
every_document = pytest.mark.parametrize("case", DOCUMENTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world in which the service runs already."""
    async with world(tmp_path_factory.mktemp("world") / "playground") as found:
        await created(found)
        yield found


def plain(told: str) -> str:
    """Without what Slack needs to show code and signs as they are."""
    return told.replace("\u2060", "").replace("`", "").replace("ˋ", "").replace("&lt;", "<").replace("&gt;", ">")


# --- before the push


@pytest.mark.asyncio(loop_scope="function")
@every_document
async def test_rendering_tells_every_mistake_on_a_line_of_its_own(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, mistakes = DOCUMENTS[case]
    file = tmp_path / "platform.yaml"
    file.write_bytes(document)
    assert main(["render", str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for mistake in mistakes:
        assert mistake in told.err
    assert len(told.err.splitlines()) <= len(mistakes)


# --- after it


@every_document
async def test_slack_tells_who_asks_and_the_team_every_mistake(here: World, case: str) -> None:
    document, mistakes = DOCUMENTS[case]
    before = image_of(await live(here))
    version = await written(here, f"Write {case}", document)
    await here.slack.command("author", f"/service deploy {NAME} {version} to production")
    for told in (await answered(here, plain(mistakes[0])), await carded(here, plain(mistakes[0]))):
        for mistake in mistakes:
            assert plain(mistake) in told
        assert "platform.yaml is wrong in " in told
        assert "our fault" not in told
    assert image_of(await live(here)) == before


async def answered(here: World, words: str) -> str:
    """Wait for the answer that only the author sees and that holds `words`."""

    async def look() -> str | None:
        messages = await here.slack.messages("team-orders", user="author")
        return next((told for m in messages if m["ephemeral_to"] and words in (told := plain(spoken(m)))), None)

    told: str = await here.slack.until(look)
    return told


async def carded(here: World, words: str) -> str:
    """Wait for the card of the automatic deploy that holds `words`."""

    async def look() -> str | None:
        messages = await here.slack.messages("team-orders")
        return next((told for m in messages if m["metadata"] and words in (told := plain(spoken(m)))), None)

    told: str = await here.slack.until(look)
    return told


async def test_line_ends_of_windows_a_byte_order_mark_and_anchors_are_no_mistakes(here: World) -> None:
    text = f"{HEAD}spec:\n  env: &common {{A: a}}\n  environments:\n    production: {{env: {{<<: *common, B: b}}}}\n"
    version = await written(here, "Write it elsewhere", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    await card_of(here, "service.deploy", "succeeded", told=version[:7])
    assert image_of(await live(here)).endswith(version)


async def test_a_document_of_another_service_is_told_by_the_name_that_it_needs(here: World) -> None:
    await written(here, "Write another", RIGHT.replace(NAME, "other-api").encode())
    await here.slack.command("author", f"/service deploy {NAME}")
    told = await answered(here, f"platform.yaml does not describe {NAME}.")
    assert f"metadata.name: is other-api, and has to be {NAME}, as in the catalog." in told


async def test_what_the_platform_does_not_allow_is_told_with_what_it_does(here: World) -> None:
    await written(here, "Write too much", f"{HEAD}spec: {{size: giant, replicas: 99}}\n".encode())
    await here.slack.command("author", f"/service deploy {NAME} to production")
    told = await answered(here, "spec.replicas: 99")
    assert "spec.size: " in told
    assert "the most there" in told


async def test_a_host_of_another_service_is_told_with_its_name(here: World) -> None:
    """Another team's, in the GitOps repository."""
    ingress = {"kind": "Ingress", "spec": {"rules": [{"host": "shop.acme.example"}]}}
    content = base64.b64encode(json.dumps(ingress).encode()).decode()
    there = "/repos/acme/gitops/contents/apps/shop-web/staging/ingress-shop-web.yaml"
    await here.github("PUT", there, {"message": "Shop", "content": content})
    await written(here, "Take a host", f"{HEAD}spec: {{ingress: {{host: shop.acme.example}}}}\n".encode())
    await here.slack.command("author", f"/service deploy {NAME}")
    told = await answered(here, "The host shop.acme.example belongs to shop-web in staging already.")
    assert "Choose another ingress.host in platform.yaml." in told
