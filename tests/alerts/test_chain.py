"""Escalation chains: which one counts, whom its steps name, and that somebody is told at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.oncall.chain import USUAL, chain_of, people_of, steps_of
from domain.directory import Directory
from domain.episode import Severity
from domain.people import Contact, EscalationChain, EscalationStep, Roster, Rotation, Team
from domain.places import Facility

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KASESE = Facility("kasese-3", "Kasese HC3", "Uganda", "Western", "Kasese")
CONTACTS = (
    Contact("amina", "Amina", facilities=("kasese-3",)),
    Contact("joseph", "Joseph", district="Kasese"),
    Contact("grace", "Grace", region="Western"),
    Contact("ruth", "Ruth"),
    Contact("else", "Else", district="Gulu"),
)
STEP = EscalationStep(timedelta(0), ("facility",))


def directory(*chains: EscalationChain, contacts: tuple[Contact, ...] = CONTACTS) -> Directory:
    """Return a registry with these chains."""
    return Directory(
        facilities=(KASESE,),
        contacts=contacts,
        teams=(Team("cold", "Cold chain", ("joseph", "nobody", "amina")),),
        rosters=(Roster("duty", "Duty", "UTC", (Rotation(("grace", "joseph"), NOON - 8 * timedelta(days=1)),)),),
        chains=chains,
    )


def test_without_a_chain_the_usual_one_holds() -> None:
    """Facility, district, region, country; so does it where the chains are for other places."""
    assert chain_of(KASESE, Severity.INFO, directory()) is USUAL
    elsewhere = EscalationChain("else", (STEP,), district="Gulu")
    assert chain_of(KASESE, Severity.INFO, directory(elsewhere)) is USUAL


def test_the_smallest_place_counts_then_the_highest_severity_that_is_reached() -> None:
    """A chain of the facility hides one of the district, whatever that one says of severity."""
    everywhere = EscalationChain("all", (STEP,))
    district = EscalationChain("district", (STEP,), district="Kasese")
    critical = EscalationChain("critical", (STEP,), district="Kasese", from_severity=Severity.CRITICAL)
    known = directory(everywhere, critical, district)
    assert chain_of(KASESE, Severity.WARNING, known).id == "district"
    assert chain_of(KASESE, Severity.CRITICAL, known).id == "critical"
    facility = EscalationChain("facility", (STEP,), facility="kasese-3", from_severity=Severity.WARNING)
    with_facility = directory(everywhere, critical, district, facility)
    assert chain_of(KASESE, Severity.CRITICAL, with_facility).id == "facility"
    assert chain_of(KASESE, Severity.INFO, with_facility).id == "district"


def test_a_step_names_people_in_every_way_and_each_once() -> None:
    """By id, team, roster and level; who is not registered is passed over."""
    step = EscalationStep(
        MINUTE, ("contact:amina", "team:cold", "roster:duty", "district", "contact:none", "team:none")
    )
    assert [each.id for each in people_of(step, KASESE, directory(), NOON)] == ["amina", "joseph"]


def test_a_level_names_those_of_exactly_that_level() -> None:
    """Who answers for the district is not asked as one of the region."""
    named = {
        level: [each.id for each in people_of(EscalationStep(MINUTE, (level,)), KASESE, directory(), NOON)]
        for level in ("facility", "district", "region", "country")
    }
    assert named == {"facility": ["amina"], "district": ["joseph"], "region": ["grace"], "country": ["ruth"]}


def test_somebody_is_told_at_once_and_later_steps_keep_their_time() -> None:
    """Steps that name nobody are left out; the first that names somebody is due at 0."""
    known = directory(contacts=CONTACTS[2:])
    found = steps_of(USUAL, KASESE, known, NOON)
    assert [(step.after, [each.id for each in step.people]) for step in found] == [
        (timedelta(0), ["grace"]),
        (60 * MINUTE, ["ruth"]),
    ]
    assert steps_of(USUAL, KASESE, directory(contacts=()), NOON) == ()
