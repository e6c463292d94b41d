"""The pages of rules: the list, one rule, and trying it on what is stored."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from alerts.reading import Firings
from api.create import create_api
from api.rule_services import RuleDesk
from app.backtest_job import backtest_work
from app.children import CHILD
from app.config import ServiceConfig, read_config
from app.jobs import MOST_WAITING, Jobs
from app.rule_desk import read, written
from app.rule_documents import every_rule, rules_of
from app.stories.play import play
from domain.access import Grant, Principal, Role
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import Place
from rules.catalogue import USUAL
from tests.api.world import NOON, SteppedClock, World
from tests.cases.folders import CASES

STORY = CASES / "who-freeze-includes-minus-0.5"
RULE = "who-freeze"


class Trying:
    """A site with rules, whose backtests judge what a story left behind."""

    def __init__(self, config: ServiceConfig, directory: Directory, end_ms: int, command: tuple[str, ...] = ()) -> None:
        self.rules = rules_of(catalogue=USUAL, files=())
        self.clock = SteppedClock(end_ms)
        self.backtests = Jobs(backtest_work(config, lambda: self.rules), command or CHILD)
        self.fired: Mapping[str, Firings] = {}
        self.asked_within: list[frozenset[str] | None] = []
        self.directory = directory
        self.principal = Principal("user:m", "Mary", frozenset({Grant(Role.MANAGER)}))

    async def firings(self, since: datetime, within: frozenset[str] | None = None) -> Mapping[str, Firings]:
        """Return what the test put there."""
        self.asked_within.append(within)
        return self.fired

    def client(self) -> httpx.AsyncClient:
        """Return a browser of whoever is signed in."""
        desk = RuleDesk(
            rules=lambda: self.rules,
            others=lambda: [rule for rule in every_rule() if rule not in self.rules],
            trouble=lambda: "",
            firings=self.firings,
            written=written,
            read=read,
            backtests=self.backtests,
        )
        services = World().services(rules=desk, directory=lambda: self.directory, clock=self.clock)

        async def recognise(_: object) -> Principal:
            return self.principal

        transport = httpx.ASGITransport(create_api(services, recognise=recognise), raise_app_exceptions=False)
        headers = {"Accept": "text/html", "Origin": "http://localhost"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


@pytest.fixture
async def trying(tmp_path: Path) -> AsyncIterator[Trying]:
    """Return a site whose story is over, with the backtests at work."""
    played = await play(STORY, tmp_path / "data")
    (tmp_path / "vitals.yaml").write_text("data: data\n", encoding="utf-8")
    config = read_config(tmp_path / "vitals.yaml", {})
    from app.backtest import read_directory

    site = Trying(config, await read_directory(config), played.start_ms + 2 * 86_400_000)
    working = asyncio.create_task(site.backtests.run())
    yield site
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def over(site: Trying, number: int) -> None:
    """Wait until a backtest is over."""
    async with asyncio.timeout(60):
        while not (state := site.backtests.get(number)) or not state.stage.over:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


async def test_the_list_says_each_rule_as_a_sentence_and_how_often_it_fired(trying: Trying) -> None:
    """A manager sees what is judged, what fires most comes first."""
    last = datetime.fromtimestamp(trying.clock.now_ms() / 1000 - 7200, UTC)
    trying.fired = {RULE: Firings(3, last)}
    async with trying.client() as browser:
        page = (await browser.get("/rules")).text
    assert f"{len(trying.rules)} rules are in force" in page
    assert page.count('<p class="saying"') == len(every_rule())
    assert "3 alerts in 30 days, the last 2 h ago" in page
    assert page.index(f"/rules/{RULE}") < page.index("/rules/who-heat")


async def test_a_rule_shows_its_tests_and_they_were_tried_now(trying: Trying) -> None:
    """Each test of the rule stands there with what came of it; one that fails is told."""
    rule = next(each for each in trying.rules if each.id == RULE)
    async with trying.client() as browser:
        assert f"All {len(rule.tests)} tests pass." in (await browser.get(f"/rules/{RULE}")).text
        wrong = rule.model_copy(update={"tests": tuple(t.model_copy(update={"episodes": ()}) for t in rule.tests)})
        trying.rules = [wrong if each is rule else each for each in trying.rules]
        page = (await browser.get(f"/rules/{RULE}")).text
    failing = sum(bool(each.episodes) for each in rule.tests)
    assert f"{failing} of {len(rule.tests)} tests fail" in page


async def test_a_rule_is_tried_on_the_past(trying: Trying) -> None:
    """What a form asks for is judged in another process, and the page tells what was found and who would be told."""
    async with trying.client() as browser:
        answer = await browser.post(f"/rules/{RULE}/backtests", data={"days": "7", "wording": ""})
        assert answer.status_code == 303
        await over(trying, 1)
        page = (await browser.get(answer.headers["location"])).text
    assert "The rule as it is" in page
    assert "What was found, newest first" in page
    assert "Amina" in page
    assert "The rule as you changed it" not in page


async def test_a_changed_rule_is_compared_with_the_one_in_force(trying: Trying) -> None:
    """Somebody who would rather be told at -20 °C sees what would not be found any more."""
    rule = next(each for each in trying.rules if each.id == RULE)
    changed = written(rule).replace("-0.5 °C", "-20 °C")
    async with trying.client() as browser:
        answer = await browser.post(f"/rules/{RULE}/backtests", data={"days": "30", "wording": changed})
        assert answer.status_code == 303
        await over(trying, 1)
        page = (await browser.get(answer.headers["location"])).text
    assert "The rule as you changed it" in page
    assert "Not found any more: 1" in page
    assert "It would have found nothing." in page


@pytest.mark.parametrize(
    ("wording", "sentence"),
    [
        ("rules: [", "line 2"),
        ("rules: []", "allowed:"),
        ("rules:\n  - id: other\n    title: x\n    severity: info\n    applies_to: {node: any}\n"
         "    when: {silent_for: 1h}\n", "&#39;who-freeze&#39;"),
    ],
)  # fmt: skip
async def test_a_wording_that_cannot_be_used_comes_back_with_what_is_wrong(
    trying: Trying, wording: str, sentence: str
) -> None:
    """Nothing is judged, and what was written is not lost."""
    async with trying.client() as browser:
        answer = await browser.post(f"/rules/{RULE}/backtests", data={"days": "7", "wording": wording})
    assert answer.status_code == 422
    assert "The changed rule cannot be used:" in answer.text
    assert sentence in answer.text
    assert wording.splitlines()[0] in answer.text
    assert not trying.backtests.all()


async def test_a_backtest_can_be_cancelled_and_the_next_one_goes_on(trying: Trying) -> None:
    """A cancelled one frees its place."""
    async with trying.client() as browser:
        for _ in range(2):
            await browser.post(f"/rules/{RULE}/backtests", data={"days": "7"})
        assert (await browser.post(f"/rules/{RULE}/backtests/1/cancel")).status_code == 303
        await over(trying, 2)
        assert "It was cancelled." in (await browser.get(f"/rules/{RULE}/backtests/1")).text
        assert "The rule as it is" in (await browser.get(f"/rules/{RULE}/backtests/2")).text


async def test_a_process_that_dies_is_told_as_a_failure(tmp_path: Path) -> None:
    """Nobody waits for ever for a backtest that broke."""
    site = Trying(ServiceConfig(data=tmp_path), Directory(), to_ms(NOON), ("/bin/false",))
    working = asyncio.create_task(site.backtests.run())
    async with site.client() as browser:
        answer = await browser.post(f"/rules/{RULE}/backtests", data={"days": "7"})
        await over(site, 1)
        page = (await browser.get(answer.headers["location"])).text
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert "ended without an answer" in page


async def test_too_many_backtests_are_refused(tmp_path: Path) -> None:
    """A queue that nobody works off does not grow without end."""
    site = Trying(ServiceConfig(data=tmp_path), Directory(), to_ms(NOON))
    async with site.client() as browser:
        answers = [await browser.post(f"/rules/{RULE}/backtests", data={"days": "7"}) for _ in range(MOST_WAITING + 1)]
    assert [each.status_code for each in answers] == [303] * MOST_WAITING + [400]
    assert "wait already" in answers[-1].text


async def test_a_manager_tries_rules_on_his_own_facilities_only(trying: Trying) -> None:
    """What somebody else tried elsewhere is not there; what a viewer sees has no form."""
    async with trying.client() as browser:
        await browser.post(f"/rules/{RULE}/backtests", data={"days": "7"})
        await over(trying, 1)
        trying.principal = dataclasses.replace(
            trying.principal, grants=frozenset({Grant(Role.MANAGER, Place(district="elsewhere"))})
        )
        assert (await browser.get(f"/rules/{RULE}/backtests/1")).status_code == 404
        await browser.get("/rules")
        assert trying.asked_within[-1] == frozenset()
        trying.principal = dataclasses.replace(trying.principal, grants=frozenset({Grant(Role.VIEWER)}))
        assert "Try it on the past" not in (await browser.get(f"/rules/{RULE}")).text
        assert (await browser.post(f"/rules/{RULE}/backtests", data={"days": "7"})).status_code == 403
