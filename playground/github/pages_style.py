"""The look of the pages: one sheet, light or dark as the reader's system is."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --page: #fff; --card: #f6f7f9;
  --link: #0b5cad; --good: #176f2c; --bad: #b42318; --past: #6f42c1; --plus: #e2f6e6; --minus: #fde8e6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b0; --line: #363d47; --page: #14171b;
  --card: #1c2026; --link: #6db3ff; --good: #4cc26b; --bad: #ff7b72; --past: #b392f0; --plus: #12351d;
  --minus: #43191a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
h1 { font-size: 1.4rem; } h2, h3 { font-size: 1.05rem; } small, p { color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 1.25rem; border-bottom: 1px solid var(--line); padding: .25rem 0 .75rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; overflow-x: auto;
  white-space: pre-wrap; color: var(--ink); font: .875rem/1.45 ui-monospace, monospace; }
.list { list-style: none; padding: 0; border: 1px solid var(--line); border-radius: .5rem; }
.list li { padding: .6rem .9rem; border-top: 1px solid var(--line); } .list li:first-child { border-top: 0; }
.list p { margin: .1rem 0 0; }
.code { width: 100%; border: 1px solid var(--line); border-radius: .5rem; font: .875rem/1.45 ui-monospace, monospace; }
.code td { white-space: pre-wrap; overflow-wrap: anywhere; vertical-align: top; }
.code td:first-child { color: var(--soft); text-align: right; padding-right: 1rem; user-select: none; width: 3rem; }
.diff span { display: block; } .diff .plus { background: var(--plus); } .diff .minus { background: var(--minus); }
.diff .at { color: var(--soft); }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; }
.badge.open, .badge.success { color: var(--good); } .badge.closed, .badge.failure { color: var(--bad); }
.badge.merged { color: var(--past); } .badge.label { color: var(--link); }
.comment { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1rem .5rem; margin: .75rem 0; }
.comment table { border-collapse: collapse; } .comment th, .comment td { border: 1px solid var(--line);
  padding: .25rem .6rem; text-align: left; }
blockquote { border-left: 3px solid var(--line); margin: .5rem 0; padding-left: .75rem; }
.problem { color: var(--bad); }
textarea, input { width: 100%; max-width: 40rem; }
textarea, input, select, button { font: inherit; color: inherit; background: var(--card); padding: .3rem .6rem;
  border: 1px solid var(--line); border-radius: .4rem; }
"""

AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="20" fill="#4a6fa5"/>'
    '<text x="20" y="27" font-family="sans-serif" font-size="20" text-anchor="middle" fill="#fff">{letter}</text></svg>'
)


def page(title: str, header: str, body: str) -> str:
    """Return a whole page; every argument is HTML already escaped."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{header}{body}</main></body></html>"
    )


MISSING = page("Not found", "", "<h1>Not found</h1><p>There is nothing here. It may have been deleted.</p>")
