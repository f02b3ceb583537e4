"""What looks like a credential is hidden; what stands around it, and ordinary words, stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.health.redaction import LONGEST_LINE, quoted, redact, redact_lines
from bot.model.credentials import HIDDEN

HIDES = [
    ("postgres://orders:hunter2@db:5432/orders", f"postgres://orders:{HIDDEN}@db:5432/orders"),
    ("redis://:p@ss@cache/0", f"redis://:{HIDDEN}@cache/0"),
    ("cloning https://0123456789abcdef0123@forge.example/a", f"cloning https://{HIDDEN}@forge.example/a"),
    ("Authorization: Bearer abc.def-ghi", f"Authorization: Bearer {HIDDEN}"),
    ("authorization: Basic dXNlcjpwYXNz", f"authorization: Basic {HIDDEN}"),
    ("> X-Api-Key: 42-secret-42", f"> X-Api-Key: {HIDDEN}"),
    ("Cookie: session=abc; path=/", f"Cookie: {HIDDEN}; path=/"),
    ("DB_PASSWORD=hunter2 DEBUG=1", f"DB_PASSWORD={HIDDEN} DEBUG=1"),
    ('{"password":"hun\\"ter2","user":"orders"}', f'{{"password":"{HIDDEN}","user":"orders"}}'),
    ("client_secret = 'abc def'", f"client_secret = '{HIDDEN}'"),
    ("passphrase: open-sesame,", f"passphrase: {HIDDEN},"),
    ("--api-key abcdefgh --verbose", f"--api-key {HIDDEN} --verbose"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPx", f"AWS_SECRET_ACCESS_KEY={HIDDEN}"),
    ("key AKIAIOSFODNN7EXAMPLE is unknown", f"key {HIDDEN} is unknown"),
    ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-Y_z", f"token {HIDDEN}"),
    ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-Y_z!", f"got {HIDDEN}!"),
    ("using ghp_0123456789abcdefghij0123456789abcdef", f"using {HIDDEN}"),
    ("using github_pat_11ABCDEFG0123456789_abcdefghij", f"using {HIDDEN}"),
    ("using xoxb-1234567890-abcdefghij", f"using {HIDDEN}"),
    (
        "a -----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY----- b",
        f"a -----BEGIN PRIVATE KEY----- {HIDDEN} b",
    ),
]


@pytest.mark.parametrize(("text", "expected"), HIDES, ids=[text[:30] for text, _ in HIDES])
def test_credentials_are_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'DATABASE_PASSWORD'",
        "DATABASE_PASSWORD is not set",
        'secret "orders-db" not found',
        "couldn't find key url in Secret staging/orders-db",
        "GET https://forge.example/acme/orders?page=2 200",
        "connected to postgres://orders@db:5432/orders",
        "token expired, please sign in",
        "passwords must have eight characters",
        "commit 3f2a1bc0123456789abcdef0123456789abcdef0",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(("text", "expected"), HIDES, ids=[text[:30] for text, _ in HIDES])
def test_hiding_twice_hides_nothing_more(text: str, expected: str) -> None:
    assert redact(expected) == expected
    assert redact(redact(text)) == redact(text)


def test_a_key_over_several_lines_is_hidden_as_one() -> None:
    lines = [
        "before",
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQ",
        "-----END RSA PRIVATE KEY-----",
        "after",
    ]
    assert redact_lines(lines) == ("before", f"-----BEGIN RSA PRIVATE KEY----- {HIDDEN}", HIDDEN, "after")


def test_the_rest_of_a_key_whose_beginning_was_cut_off_is_hidden() -> None:
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQ", "AoGBAKj34GkxFhD90vcNLYLInF", "-----END PRIVATE KEY-----", "after"]
    assert redact_lines(lines) == (HIDDEN, "after")
    plain = ["all is well", "-----END PRIVATE KEY-----"]
    assert redact_lines(plain) == tuple(plain)


def test_what_stands_between_backticks_is_one_printable_line() -> None:
    assert quoted("\x1b[31mERROR\x1b[0m `x`\tis\x00 bad\r\n") == "ERROR 'x' is bad"
    assert len(quoted("x" * 1000)) == LONGEST_LINE
    assert quoted("x" * 1000).endswith("…")


@given(st.text(max_size=300))
def test_any_text_can_be_quoted(text: str) -> None:
    line = quoted(text)
    assert len(line) <= LONGEST_LINE
    assert "`" not in line
    assert all(character.isprintable() for character in line)


secrets = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=40)


@given(secret=secrets, name=st.sampled_from(["PASSWORD", "db_password", "api-key", "token", "CLIENT_SECRET"]))
def test_the_value_of_a_telltale_name_never_stays(secret: str, name: str) -> None:
    for line in (f"{name}={secret}", f'{{"{name}": "{secret}"}}', f"{name}: {secret}", f"--{name} {secret}"):
        assert secret not in redact(line)
