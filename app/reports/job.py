"""Reports in processes of their own: made once, kept as a file, and turned into what somebody downloads."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from api.report_services import FileForm, ReportKind
from app.child import Progress
from app.config import ServiceConfig
from app.reports.data import report_csv
from app.reports.monthly import monthly
from app.reports.paper import as_pdf
from app.reports.recorded import Asked
from app.reports.sla import sla_since
from app.reports.sla_data import as_csv, as_json, outages_csv
from dashboards.report.cut import shown_figures, shown_month

_SPREADSHEETS: Final = frozenset({FileForm.CSV, FileForm.OUTAGES})
_TEXT: Final[Mapping[tuple[ReportKind, FileForm], Callable[[Mapping[str, Any]], str]]] = {
    (ReportKind.SLA, FileForm.CSV): as_csv,
    (ReportKind.SLA, FileForm.OUTAGES): outages_csv,
    (ReportKind.MONTHLY, FileForm.CSV): report_csv,
}


class Making(NamedTuple):
    """What is to be reported on, and in which file it is kept."""

    config: ServiceConfig
    kind: ReportKind
    asked: Asked
    now: datetime
    file: Path


class Writing(NamedTuple):
    """What is to be made of a report that is kept."""

    file: Path
    kind: ReportKind
    form: FileForm
    language: str


async def make(job: Making, progress: Progress) -> dict[str, Any]:
    """Make a report, keep it whole, and return what pages show of it."""
    work = {ReportKind.SLA: sla_since, ReportKind.MONTHLY: monthly}[job.kind]
    data = await work(job.config, job.asked, now=job.now, progress=progress)
    await asyncio.to_thread(job.file.write_text, json.dumps(data), "utf-8")
    return {ReportKind.SLA: shown_figures, ReportKind.MONTHLY: shown_month}[job.kind](data)


async def write(job: Writing, _: Progress) -> dict[str, Any]:
    """Return a kept report as a file, in base 64."""
    data = json.loads(await asyncio.to_thread(job.file.read_text, "utf-8"))
    return {"content": b64encode(content_of(data, job.kind, job.form, job.language)).decode("ascii")}


def content_of(data: Mapping[str, Any], kind: ReportKind, form: FileForm, language: str) -> bytes:
    """Return a report as a file."""
    if form is FileForm.PDF:
        return as_pdf(kind.value, data, language)
    # The mark makes a spreadsheet read UTF-8.
    encoding = "utf-8-sig" if form in _SPREADSHEETS else "utf-8"
    return _TEXT.get((kind, form), as_json)(data).encode(encoding, "replace")
