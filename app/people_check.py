"""What is worth a look in what the registry says of people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from alerts.oncall.roster import next_handover, on_call
from alerts.routing import Route
from domain.directory import Directory
from domain.suggest import allowed_words


def people_findings(directory: Directory, routes: Iterable[Route], now: datetime) -> Iterator[str]:
    """Find ways of telling people that nothing carries here, and rosters by which nobody is ever on call again."""
    on = [word for route in routes for word in dict.fromkeys((route.medium, route.channel))]
    for owner, word in _ways(directory):
        if word not in on:
            yield f"{owner}: nothing that is switched on carries {word!r}; on: {allowed_words(word, on)}"
    for roster in directory.rosters.values():
        if not on_call(roster, now) and next_handover(roster, now) is None:
            yield f"roster {roster.id}: nobody is on call, and nobody will be"


def _ways(directory: Directory) -> Iterator[tuple[str, str]]:
    for contact in directory.contacts.values():
        yield from ((f"contact {contact.id}", word) for word in contact.channels)
    for chain in directory.chains.values():
        words = dict.fromkeys(word for step in chain.steps for word in step.by)
        yield from ((f"escalation {chain.id}", word) for word in words)
