"""The command line's side of a backtest: its period and places, progress, and where the report goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.backtest import Period, backtest, read_directory
from app.backtest_report import as_html, as_json, as_table, report
from app.config import ServiceConfig
from domain.errors import OperatorError
from domain.instant import parse_rfc3339
from domain.places import Facility
from rules.model import Rule


async def run_backtest(
    config: ServiceConfig,
    period: tuple[str, str],
    *,
    rule_sets: Sequence[Sequence[Rule]],
    facilities: frozenset[str],
    districts: frozenset[str],
    outputs: tuple[Path | None, Path | None],
    progress: Callable[[int, int, str], None],
    say: Callable[[str], None],
) -> None:
    """Judge again and say what came of it; ``outputs`` are files for JSON and HTML."""
    asked = _period(*period)

    def wanted(facility: Facility) -> bool:
        anywhere = not facilities and not districts
        return anywhere or facility.id in facilities or facility.district in districts

    when, results = await backtest(config, rule_sets, asked, wanted=wanted, now=datetime.now(UTC), progress=progress)
    data = report(results, when, (await read_directory(config)).contacts)
    as_table(data, say)
    for path, render in zip(outputs, (as_json, as_html), strict=True):
        if path is not None:
            _write(path, render(data))


def _period(start: str, end: str) -> Period:
    period = Period(_moment(start), _moment(end))
    if period.start >= period.end:
        raise OperatorError(f"found a period from {start} to {end}; allowed: one that begins before it ends")
    return period


def _moment(text: str) -> datetime:
    try:
        if len(text) == len("2026-11-01"):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return parse_rfc3339(text)
    except ValueError as error:
        raise OperatorError(f"found {text!r}; allowed: 2026-11-01 or 2026-11-01T06:00:00Z") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}") from error
