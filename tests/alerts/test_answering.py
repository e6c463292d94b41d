"""Who answers for a place, and why: the same people as are told, with what names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.oncall.answering import Why, areas_of, who_answers
from alerts.oncall.chain import steps_of
from domain.directory import Directory
from domain.episode import Severity
from domain.people import EscalationChain, EscalationStep, Override
from domain.places import Facility
from tests.alerts.test_chain import CONTACTS, KASESE, MINUTE, NOON, directory

WORDS = st.sampled_from(
    ("facility", "district", "region", "country", "contact:amina", "contact:none", "team:cold", "team:none",
     "roster:duty", "roster:none")
)  # fmt: skip
STEPS = st.lists(st.builds(EscalationStep, st.integers(0, 90).map(lambda n: n * MINUTE), st.lists(WORDS, max_size=4)))


@given(STEPS, st.integers(-20, 20))
def test_they_are_those_who_are_told(steps: list[EscalationStep], days: int) -> None:
    """The same steps, people and times as the escalation has; steps of nobody are in it as well."""
    chain, at = EscalationChain("all", tuple(steps)), NOON + timedelta(days=days)
    answers = who_answers(KASESE, Severity.INFO, directory(chain), at)
    told = [
        (step.after, tuple(each.contact for each in step.people)) for step in answers.steps if step.after is not None
    ]
    assert told == [(each.after, each.people) for each in steps_of(chain, KASESE, directory(chain), at)]
    assert [each.step for each in answers.steps] == steps
    assert all(bool(each.people) == (each.after is not None) for each in answers.steps)


def test_everything_that_names_a_person_is_said() -> None:
    """Joseph is on duty until the handover, and answers for the district."""
    step = EscalationStep(timedelta(0), ("roster:duty", "district", "team:cold", "team:cold"))
    answers = who_answers(KASESE, Severity.INFO, directory(EscalationChain("all", (step,))), NOON)
    (found,) = answers.steps
    assert {each.contact.id: each.why for each in found.people} == {
        "joseph": (
            Why("roster:duty", None, NOON + timedelta(days=6)),
            Why("district"),
            Why("team:cold"),
        ),
        "amina": (Why("team:cold"),),
    }


def test_an_override_is_said_with_its_reason() -> None:
    """While it lasts its person is on call, and until its end."""
    override = Override("ruth", NOON - MINUTE, NOON + MINUTE, "Joseph is ill")
    known = directory(EscalationChain("all", (EscalationStep(timedelta(0), ("roster:duty",)),)))
    roster = replace(known.rosters["duty"], overrides=(override,))
    known = Directory(
        facilities=(KASESE,), contacts=CONTACTS, rosters=(roster,), chains=known.chains.values()
    )  # fmt: skip
    ((person,),) = (step.people for step in who_answers(KASESE, Severity.INFO, known, NOON).steps)
    assert (person.contact.id, person.why) == ("ruth", (Why("roster:duty", override, NOON + MINUTE),))


def named(area: Facility) -> list[list[str]]:
    """Return the people of each usual step."""
    steps = who_answers(area, Severity.INFO, directory(), NOON).steps
    return [[each.contact.id for each in step.people] for step in steps]


def test_an_area_is_asked_as_a_facility_of_nobody() -> None:
    """Its larger areas are filled in; who answers for a single facility is not among its people."""
    (area,) = areas_of("", "", "Kasese", directory())
    assert (area.country, area.region, area.district) == ("Uganda", "Western", "Kasese")
    assert named(area) == [[], ["joseph"], ["grace"], ["ruth"]]
    (region,) = areas_of("Uganda", "Western", "", directory())
    assert named(region) == [[], [], ["grace"], ["ruth"]]


def test_areas_of_one_name_are_told_apart() -> None:
    """A district that two countries have is two areas, and one that nobody has is none."""
    other = Facility("other", "Other", "Congo", "Ituri", "Kasese")
    known = Directory(facilities=(KASESE, other))
    assert [area.country for area in areas_of("", "", "Kasese", known)] == ["Uganda", "Congo"]
    assert [area.region for area in areas_of("Congo", "", "Kasese", known)] == ["Ituri"]
    assert areas_of("Uganda", "Ituri", "", known) == []
