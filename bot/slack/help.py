"""What people read when they ask for help, or when a command was not understood. Made from the registry alone."""

from __future__ import annotations

from bot.slack import blocks
from bot.slack.message import Block
from bot.slack.mrkdwn import code, escape
from bot.slack.registry import ROOT, Help, Registry, Unknown


def help_text(registry: Registry, wanted: Help) -> tuple[str, list[Block]]:
    """Return fallback text and blocks that list what is possible; only what is built."""
    shown = [c for c in registry.commands if not wanted.noun or c.name.partition(".")[0] == wanted.noun]
    lines = [f"{code(f'{registry.line(c.name)} {c.usage}'.strip())}  {escape(c.summary)}" for c in shown]
    title = f"What you can do with {registry.slash(wanted.noun)}" if wanted.noun else "What you can do"
    footer = f"Everything works as {code(registry.slash(ROOT) + ' …')} too, and by mentioning me in a thread."
    said = blocks.guarded([blocks.header(title), *blocks.lines(lines), blocks.context(footer)])
    return "\n".join([title, *lines]), said


def unknown_text(registry: Registry, unknown: Unknown) -> str:
    """Return a sentence with the nearest command as a line to paste."""
    first = f"I do not know {code(unknown.typed[:200])}."
    if unknown.suggestion:
        return f"{first} Did you mean {code(unknown.suggestion)}?"
    return f"{first} {code(registry.slash(ROOT) + ' help')} lists what I can do."


def marked(text: str) -> str:
    """Return a sentence ready for mrkdwn: what stands in backticks is code, all else is shown as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick is just a character
        return escape(text)
    return "".join(code(part) if number % 2 else escape(part) for number, part in enumerate(parts))
