"""Whom an event of a calendar names: by an attendee's e-mail address or by its summary; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.people import Contact
from domain.suggest import allowed_words

Refusal = tuple[str, str]
"""What was found, and what is allowed."""


def named_by(event: Any, contacts: Iterable[Contact]) -> tuple[str, Refusal | None]:
    """Return the id of the one contact whom an event names, or why there is none.

    An address finds its owner; where several attend or share an address, the summary says whom of them it is. The
    summary is the id or the name of a contact.
    """
    known = list(contacts)
    addresses = _addresses(event)
    summary = str(event.get("SUMMARY", "")).strip()
    attending = {each.id for each in known if each.email and each.email.casefold() in addresses}
    named = _named(summary, known)
    if attending and named and not attending & named:
        found = f"the summary {summary!r} and the attendee {', '.join(sorted(attending))}"
        return "", (found, "one person, or a summary that names nobody")
    meant = (attending & named) or attending or named
    if len(meant) == 1:
        return meant.pop(), None
    if meant:
        return "", (f"{len(meant)} people: {', '.join(sorted(meant))}", "one; the summary may give an id")
    found = f"{summary!r}" + (f" and attendees {', '.join(sorted(addresses))}" if addresses else "")
    words = [each.id for each in known] + [each.name for each in known if each.name != each.id]
    return "", (found, f"the id, name or e-mail address of a contact: {allowed_words(summary, words)}")


def _named(summary: str, contacts: Iterable[Contact]) -> set[str]:
    ids = {each.id for each in contacts if each.id == summary}
    return ids or {each.id for each in contacts if each.name.strip().casefold() == summary.casefold()}


def _addresses(event: Any) -> set[str]:
    said = event.get("ATTENDEE", [])
    attendees = said if isinstance(said, list) else [said]
    return {str(each).strip().removeprefix("mailto:").removeprefix("MAILTO:").casefold() for each in attendees}
