"""What of a large report is shown: the worst, the longest, and how much is not listed."""

from __future__ import annotations

from typing import Any

from dashboards.pages.words import ENGLISH
from dashboards.report.cut import (
    MOST_EXCURSIONS,
    MOST_FACILITIES,
    MOST_LISTED,
    MOST_OUTAGES,
    shown_figures,
    shown_month,
)
from dashboards.report.month_view import month_view
from dashboards.report.sla_view import sla_view

MOMENT = "2026-11-20T00:00:00Z"
STRETCH = {"start": MOMENT, "end": MOMENT, "begun_before": False, "goes_on": False}


def service(number: int) -> dict[str, Any]:
    """Return a service that was down thrice, longer from one facility to the next."""
    return {
        "availability": 1 - number / 1000, "target": 0.9, "kept": number <= 100, "up_seconds": 1000 - number,
        "down_seconds": number, "unknown_seconds": 0, "planned_seconds": 0, "sustained": 2, "momentary": 1,
        "outages": [{**STRETCH, "seconds": number * 10 + each, "momentary": each == 0} for each in range(3)],
    }  # fmt: skip


def facility(number: int) -> dict[str, Any]:
    """Return one of many facilities, each worse than the one before."""
    excursions = [
        {**STRETCH, "channel": "c", "side": "too_hot", "seconds": number * 10 + each, "extreme_celsius": 9.0,
         "extreme_at": MOMENT, "low_celsius": 2.0, "high_celsius": 8.0}
        for each in range(3)
    ]  # fmt: skip
    fridge = {
        "id": "f", "name": "Fridge", "kind": "fridge", "model": "", "in_range_seconds": 1000, "too_cold_seconds": 0,
        "too_hot_seconds": number, "unknown_seconds": 0, "out_of_service_seconds": 0, "lowest_celsius": 2.0,
        "highest_celsius": 9.0, "mean_kinetic_celsius": 5.0, "worst_day_mean_kinetic_celsius": 6.0,
        "worst_day_until": MOMENT, "excursion_count": 3, "excursions": excursions,
    }  # fmt: skip
    return {
        "id": f"f{number}", "name": f"Facility {number:03}", "district": "D", "timezone": "UTC",
        "services": {"power": service(number), "cold_chain": service(number)}, "appliances": [fridge],
        "generators": [], "channels": [], "alerts": {"raised": 0},
    }  # fmt: skip


def report(count: int) -> dict[str, Any]:
    """Return a report on so many."""
    index = {"facilities": count, "saifi": 2.0, "saidi_minutes": 1.0, "caidi_minutes": None, "maifi": 1.0}
    alerts = dict.fromkeys(("raised", "told", "unanswered", "escalated", "ongoing", "answered", "restored",
                            "doses_affected"), 0)  # fmt: skip
    return {
        "from": MOMENT, "to": "2026-11-21T00:00:00Z", "as_of": "2026-11-22T00:00:00Z", "month": None, "timezone": "UTC",
        "version": "1", "place": {}, "facilities": [facility(number) for number in range(count)],
        "indices": {"power": index}, "since_last_issue": None, "alerts": alerts,
    }  # fmt: skip


def test_contract_figures_show_the_least_available_and_the_longest_outages() -> None:
    """What is said of all of them is said of all of them; cut or whole, the page says the same."""
    whole = report(250)
    cut = sla_view(shown_figures(whole), ENGLISH)
    assert len(cut.facilities) == MOST_LISTED
    assert cut.facilities[0].name == "Facility 249"
    assert cut.left_out == "150 more are not listed here; the file has all."
    assert [(each.kept, each.missed) for each in cut.targets] == [(101, 149), (101, 149)]
    assert len(cut.outages) == MOST_OUTAGES
    assert cut.outages[0].lasted == "0:41:32"
    assert cut.facilities[-1].services[0].sustained == 2
    assert cut.head.facilities == 250
    plain = sla_view(whole, ENGLISH)
    assert (plain.facilities, plain.left_out, plain.targets, plain.outages) == (
        cut.facilities, cut.left_out, cut.targets, cut.outages,
    )  # fmt: skip


def test_a_month_shows_the_warmest_and_the_longest_excursions() -> None:
    """Outages of the cold chain are excursions already; counts are of all."""
    whole = report(250)
    cut = month_view(shown_month(whole), ENGLISH)
    assert len(cut.facilities) == MOST_FACILITIES
    assert cut.facilities[0].name == "Facility 249"
    assert cut.facilities[-1].cells[3] == "3"
    assert cut.facilities_left_out == "50 more are not listed here; the file has all."
    assert len(cut.excursions) == MOST_EXCURSIONS
    assert {each.word for each in cut.outages} == {"Power"}
    plain = month_view(whole, ENGLISH)
    assert (plain.excursions, plain.outages[:40], plain.facilities) == (
        cut.excursions, cut.outages[:40], cut.facilities,
    )  # fmt: skip


def test_a_small_report_is_shown_whole() -> None:
    """Nothing is said to be left out where nothing is."""
    view = sla_view(shown_figures(report(2)), ENGLISH)
    assert (view.left_out, view.outages_left_out, len(view.outages)) == ("", "", 12)
    month = month_view(shown_month(report(2)), ENGLISH)
    assert (month.facilities_left_out, month.excursions_left_out, month.outages_left_out) == ("", "", "")
    assert (len(month.excursions), len(month.outages)) == (6, 6)
