"""The desk at which pages and API order reports: children make them, a folder keeps them while they are remembered."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64decode
from pathlib import Path
from typing import Any, Final

from api.report_services import FileForm, ReportDesk, ReportOrder, ReportState
from app.child import Work
from app.children import in_child
from app.config import ServiceConfig
from app.database import make_folder
from app.jobs import Jobs
from app.reports.job import Making, Writing, make, write
from app.reports.recorded import Asked
from app.reports.sla import issue_sla
from domain.instant import Clock, parse_rfc3339, to_datetime

FOLDER: Final = "reports"
"""In the data folder. What a service left there goes when the next one starts: orders are in memory."""


class Reports:
    """Takes orders, and knows where what came of them is kept."""

    def __init__(self, config: ServiceConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._folder = config.data / FOLDER
        self._files: dict[int, Path] = {}
        self._issued: dict[int, str] = {}
        self.jobs: Jobs[ReportOrder] = Jobs(self._work, forget=self._forget)

    def open(self) -> None:
        """Make the folder and clear it."""
        make_folder(self._folder)
        for each in self._folder.glob("*.json"):
            each.unlink()

    def desk(self) -> ReportDesk:
        """Return what pages and API call."""
        return ReportDesk(
            jobs=self.jobs,
            prepare=lambda: self.jobs.prepare("app.reports.job"),
            file=self._file,
            issue=self._issue,
            issued_by=lambda number: self._issued.get(number, ""),
        )

    def _work(self, order: ReportOrder) -> Work:
        state = next(each for each in self.jobs.all() if each.order is order)
        file = self._files[state.number] = self._folder / f"{secrets.token_hex(8)}.json"
        return Work(make, Making(self._config, order.kind, asked_of(order), to_datetime(self._clock.now_ms()), file))

    def _forget(self, state: ReportState) -> None:
        self._issued.pop(state.number, None)
        file = self._files.pop(state.number, None)
        if file is not None:
            file.unlink(missing_ok=True)

    async def _file(self, state: ReportState, form: FileForm, language: str) -> bytes:
        found = await in_child(Work(write, Writing(self._files[state.number], state.order.kind, form, language)))
        return b64decode(found["content"])

    async def _issue(self, state: ReportState, by: str) -> None:
        data: dict[str, Any] = json.loads(await asyncio.to_thread(self._files[state.number].read_text, "utf-8"))
        as_of = parse_rfc3339(data["as_of"])
        await issue_sla(self._config, asked_of(state.order), data | {"issued_by": by}, now=as_of)
        self._issued[state.number] = by


def asked_of(order: ReportOrder) -> Asked:
    """Return what an order is about."""
    return Asked(order.place, order.start, order.end, None if order.whole else order.facilities)
