"""The pages of rules over HTTP: the list, one rule with its tests and firings, and trying it on the past."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from api.backtest_view import backtest_line, backtest_page
from api.jobs import JobState
from api.page_parts import form_of, page
from api.problems import NotFoundError, RequestError
from api.rule_services import BacktestOrder, RuleDesk
from api.visit import Managing, Viewing, Visit
from dashboards.pages.render import Pages
from dashboards.pages.rules import (
    BACKTEST_DAYS,
    RECENT_DAYS,
    Fired,
    FiringLine,
    RuleFacts,
    RulePage,
    TestLine,
    rule_row,
    rules_page,
    subject_name,
    tests_sentence,
)
from dashboards.pages.wording import local_time
from domain.access import Role
from domain.alert import Alert
from domain.errors import DocumentError
from domain.instant import to_datetime
from rules.model import Rule
from rules.proving import prove
from rules.sentence import describe

MOST_FIRINGS = 20
MOST_WORDING = 40_000
"""Characters of a rule that somebody wants to try."""
RuleId = Annotated[str, Path(max_length=60)]
Number = Annotated[int, Path(ge=1, lt=2**31)]


def add_rule_pages(router: APIRouter, pages: Pages) -> None:
    """Add the pages of rules."""

    @router.get("/rules")
    async def show_rules(visit: Viewing) -> Response:
        desk, now_ms = _desk(visit), visit.services.clock.now_ms()
        firings = await desk.firings(to_datetime(now_ms) - timedelta(days=RECENT_DAYS))
        fired = {rule: Fired(each.count, each.last_at) for rule, each in firings.items()}
        rules, others = ([facts_of(rule, visit) for rule in some] for some in (desk.rules(), desk.others()))
        view = rules_page(rules, others, fired, desk.trouble(), now_ms, visit.words)
        return await page(visit, pages, "rules.html", view)

    @router.get("/rules/{rule_id}")
    async def show_rule(visit: Viewing, rule_id: RuleId) -> Response:
        return await page(visit, pages, "rule.html", await _rule_page(visit, _find(visit, rule_id)))

    _add_backtests(router, pages)


def _add_backtests(router: APIRouter, pages: Pages) -> None:
    @router.post("/rules/{rule_id}/backtests")
    async def try_rule(visit: Managing, rule_id: RuleId, request: Request) -> Response:
        desk, rule = _desk(visit), _find(visit, rule_id)
        form = form_of(await request.body())
        wording = form.get("wording", "").replace("\r\n", "\n")
        try:
            changed = _changed(desk, rule, wording)
        except DocumentError as error:
            problems = tuple(
                visit.words("line {line}: {field}: found {found}; allowed: {allowed}", line=each.line, field=each.field,
                            found=each.found, allowed=each.allowed)
                for each in error.problems[:10]
            )  # fmt: skip
            view = await _rule_page(visit, rule, wording=wording, problems=problems)
            return await page(visit, pages, "rule.html", view, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        order = BacktestOrder(
            rule=rule,
            changed=changed,
            days=_days(form.get("days", "")),
            end=to_datetime(visit.services.clock.now_ms()),
            facilities=frozenset(visit.services.directory().facilities),
            by=visit.principal.name,
        )
        return RedirectResponse(f"/rules/{rule_id}/backtests/{desk.backtests.start(order).number}", status_code=303)

    @router.get("/rules/{rule_id}/backtests/{number}")
    async def show_backtest(visit: Managing, rule_id: RuleId, number: Number, part: str = "") -> Response:
        state = _state(visit, rule_id, number)
        view = backtest_page(state, facts_of(state.order.rule, visit), visit)
        return await page(visit, pages, "backtest.html", view, live=part == "live")

    @router.post("/rules/{rule_id}/backtests/{number}/cancel")
    async def cancel_backtest(visit: Managing, rule_id: RuleId, number: Number) -> Response:
        _state(visit, rule_id, number)
        _desk(visit).backtests.cancel(number)
        return RedirectResponse(f"/rules/{rule_id}/backtests/{number}", status_code=303)


def _desk(visit: Visit) -> RuleDesk:
    if visit.services.rules is None:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "This process does not judge: it has no rules.")
    return visit.services.rules


def _find(visit: Visit, rule_id: str) -> Rule:
    desk = _desk(visit)
    found = next((rule for rule in (*desk.rules(), *desk.others()) if rule.id == rule_id), None)
    if found is None:
        raise NotFoundError("rule", rule_id)
    return found


def _state(visit: Visit, rule_id: str, number: int) -> JobState[BacktestOrder]:
    """Return a backtest all of whose facilities the visitor manages; raise ``NotFoundError`` for any other."""
    state = _desk(visit).backtests.get(number)
    if state is None or state.order.rule.id != rule_id or not _in_sight(state, visit):
        raise NotFoundError("backtest", number)
    return state


def _in_sight(state: JobState[BacktestOrder], visit: Visit) -> bool:
    return state.order.facilities <= visit.services.directory().facilities.keys()


def _changed(desk: RuleDesk, rule: Rule, wording: str) -> Rule | None:
    """Return the rule that somebody wrote; None where it is the one in force; raise ``DocumentError``."""
    if len(wording) > MOST_WORDING:
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A rule has at most {MOST_WORDING} characters.")
    if not wording.strip():
        return None
    found = desk.read(wording)
    if found.id != rule.id:
        raise DocumentError([found.problem(("id",), repr(found.id), repr(rule.id))])
    return None if found.written == rule.written else found


def _days(text: str) -> int:
    if text not in map(str, BACKTEST_DAYS):
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, f"days: one of {', '.join(map(str, BACKTEST_DAYS))}")
    return int(text)


def facts_of(rule: Rule, visit: Visit) -> RuleFacts:
    """Return a rule as plain data, its title and action in the visitor's language where they are translated."""
    said = rule.translations.get(visit.words.language)
    return RuleFacts(
        id=rule.id,
        title=(said and said.title) or rule.title,
        severity=rule.severity,
        sentence=describe(rule),
        action=(said and said.action) or rule.action,
        tests=len(rule.tests),
        suppressed_by=rule.suppressed_by,
        root_cause_of=rule.root_cause_of,
    )


async def _rule_page(visit: Visit, rule: Rule, *, wording: str = "", problems: tuple[str, ...] = ()) -> RulePage:
    desk, now_ms, words = _desk(visit), visit.services.clock.now_ms(), visit.words
    outcomes = await asyncio.to_thread(lambda: list(prove([rule])))
    tests = tuple(TestLine(each.trial.it, each.difference) for each in outcomes)
    firing = (await desk.firings(to_datetime(now_ms) - timedelta(days=RECENT_DAYS))).get(rule.id)
    alerts = await visit.services.alerts(open_only=False, facility=None, limit=MOST_FIRINGS, rule=rule.id)
    facts, in_force = facts_of(rule, visit), list(desk.rules())
    return RulePage(
        row=rule_row(facts, Fired(firing.count, firing.last_at) if firing else None, now_ms, words),
        in_force=rule in in_force,
        tests=tests,
        tests_sentence=tests_sentence(tests, words),
        explained_by=tuple(
            facts_of(each, visit) for each in in_force if each.id in rule.suppressed_by or rule.id in each.root_cause_of
        ),
        explains=tuple(
            facts_of(each, visit) for each in in_force if each.id in rule.root_cause_of or rule.id in each.suppressed_by
        ),
        firings=tuple(_firing(each, visit, now_ms) for each in alerts),
        backtests=tuple(
            backtest_line(each, words)
            for each in desk.backtests.all()
            if each.order.rule.id == rule.id and _in_sight(each, visit)
        ),
        may_try=visit.principal.may_somewhere(Role.MANAGER),
        facilities=len(visit.services.directory().facilities),
        wording=wording or desk.written(rule),
        problems=problems,
    )


def _firing(alert: Alert, visit: Visit, now_ms: int) -> FiringLine:
    directory = visit.services.directory()
    facility = directory.facilities.get(alert.facility)
    return FiringLine(
        alert=alert.id,
        facility=alert.facility,
        facility_name=facility.name if facility else alert.facility,
        subject=subject_name(alert.subject, directory),
        started=local_time(alert.started_at, facility.timezone if facility else "UTC", now_ms, visit.words),
        goes_on=alert.ended_at is None,
    )
