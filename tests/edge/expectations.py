"""Fixture folders for drivers: what was recorded, and in ``expected.txt`` what the driver makes of it."""

from __future__ import annotations

from pathlib import Path

from domain.reading import Sample

FIXTURES = Path(__file__).parent / "fixtures"


def cases(driver: str) -> list[str]:
    """Return the names of a driver's fixture folders."""
    return sorted(path.parent.name for path in (FIXTURES / driver).glob("*/expected.txt"))


def expected(folder: Path) -> dict[str, tuple[str, float | None]]:
    """Return quality and value by channel, from lines ``channel quality [value]``."""
    rows = [line.split() for line in (folder / "expected.txt").read_text(encoding="utf-8").splitlines()]
    return {row[0]: (row[1], float(row[2]) if len(row) > 2 else None) for row in rows if row}


def found(samples: list[Sample]) -> dict[str, tuple[str, float | None]]:
    """Return the same of a driver's samples, values to six places."""
    return {
        sample.name: (sample.quality.label, None if sample.value is None else round(sample.value, 6))
        for sample in samples
    }
