"""What the page says about each sample user in its switcher."""

from __future__ import annotations

from playground.sample import GROUPS, LEADS, PEOPLE, Person


def people() -> list[dict[str, str]]:
    """Return `{handle, id, name, note}` of each sample user, in the order of the sample."""
    return [{"handle": p.handle, "id": p.slack_id, "name": p.name, "note": note(p)} for p in PEOPLE]


def note(person: Person) -> str:
    """Say in one line who this is and what that means for what they may do."""
    if person.is_outsider:
        return "Another company, through a shared channel: should be refused"
    if person.is_guest:
        return "Single-channel guest: should be refused"
    leads = [GROUPS[group] for group, lead in LEADS.items() if lead == person.handle]
    if leads:
        return f"Leads {' and '.join(leads)}: approves what the team asks for"
    return f"Developer in {' and '.join(GROUPS[group] for group in person.groups)}: asks for things"
