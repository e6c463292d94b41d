"""What every database has to do with the marks of reports that were sent."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.reports.marks import ReportMarks
from dashboards.report.month import Month
from domain.places import Place

KASESE, CLINIC = Place(district="Kasese"), Place(facility="clinic")
NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)


class MarksContract:
    """Tests over a fixture ``database``."""

    @pytest.fixture
    async def marks(self, database: AsyncEngine) -> ReportMarks:
        """Return marks in fresh tables."""
        marks = ReportMarks(database)
        await marks.create_tables()
        return marks

    async def test_a_place_begins_where_it_was_first_asked_for(self, marks: ReportMarks, database: AsyncEngine) -> None:
        """Whatever is asked later, also by a service that was started again."""
        assert await marks.next(KASESE, NOVEMBER) == NOVEMBER
        assert await ReportMarks(database).next(KASESE, Month(2027, 3)) == NOVEMBER
        assert await marks.next(CLINIC, DECEMBER) == DECEMBER

    async def test_who_has_a_month_is_forgotten_with_it(self, marks: ReportMarks) -> None:
        """And only at that place; after December comes January."""
        for place in (KASESE, CLINIC):
            await marks.next(place, DECEMBER)
            await marks.reach(place, "amina@example.org")
        assert await marks.reached(KASESE) == {"amina@example.org"}
        await marks.go_on(KASESE, DECEMBER)
        assert await marks.reached(KASESE) == frozenset()
        assert await marks.reached(CLINIC) == {"amina@example.org"}
        assert await marks.next(KASESE, NOVEMBER) == Month(2027, 1)
