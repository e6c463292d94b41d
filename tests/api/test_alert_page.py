"""The page of an alert on the real store: what it shows, and what its forms do."""

from __future__ import annotations

import httpx
import pytest

from alerts.notification import NotificationState
from domain.alert import AlertState
from tests.alerts.given import an_episode, ended, of_rule, opened
from tests.alerts.telling_contract import ONE_BY_ONE
from tests.api.desk import Desk
from tests.api.test_api_pages import HTML, Reader

OWN = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}


async def show(desk: Desk, alert: int = 1) -> Reader:
    """Return the page as a browser sees it."""
    answer = await desk.client.get(f"/alerts/{alert}", headers=HTML)
    assert answer.status_code == 200
    return Reader(answer.text)


async def send(desk: Desk, deed: str, alert: int = 1, **fields: str) -> httpx.Response:
    """Send a form of the page."""
    return await desk.client.post(f"/alerts/{alert}/{deed}", data=fields, headers=OWN | HTML)


def offered(page: Reader, alert: int = 1) -> set[str]:
    """Return what the page lets a person do."""
    targets = [each for _, tag in page.tags for name in ("action", "formaction") if (each := tag.get(name))]
    return {each.removeprefix(f"/alerts/{alert}/") for each in targets if each != "/language"}


async def state(desk: Desk, alert: int = 1) -> AlertState:
    """Return how the alert stands."""
    found = await desk.judge.store.alert(alert)
    assert found is not None
    return found.state


async def test_the_page_says_who_was_told_and_what_came_of_it(desk: Desk) -> None:
    """Names and channels, and for each message how far it came; no number and no address."""
    await desk.judge.record(opened(an_episode()))
    page = await show(desk)
    assert "Who was told" in page.text
    assert "Amina Alarm by sms" in " ".join(page.text.split())
    assert NotificationState.QUEUED.value not in page.text
    assert "waits to be sent" in page.text
    assert "+256" not in page.text


async def test_what_can_be_done_is_offered_and_nothing_else(desk: Desk) -> None:
    """Taken, it is not taken again; over, it can be closed; closed, nothing is left to do."""
    await desk.judge.record(opened(an_episode()))
    assert offered(await show(desk)) == {"acknowledge", "help", "shelve"}
    await send(desk, "acknowledge", by="Grace")
    assert offered(await show(desk)) == {"help", "shelve"}
    await desk.judge.record(ended(an_episode()))
    assert offered(await show(desk)) == {"close"}
    await send(desk, "close", by="Grace", reason="door left open", action="closed it", doses_affected="0")
    page = await show(desk)
    assert offered(page) == set()
    assert "Closed by Grace" in page.text
    assert "door left open; closed it; 0 doses affected" in page.text


async def test_taking_says_that_it_takes_the_incident(desk: Desk) -> None:
    """What belongs together stands on the page with its links."""
    await desk.judge.record(opened(of_rule("mains", an_episode())))
    await desk.judge.record(opened(of_rule("cut-off", an_episode())))
    page = await show(desk)
    assert "Takes what else goes on in the same incident as well." in page.text
    assert "/alerts/2" in page.links()


async def test_help_is_called_from_the_page(desk: Desk) -> None:
    """It is in the audit log, with the name and where it came from."""
    await desk.judge.record(opened(an_episode()))
    answer = await send(desk, "help", by="Grace", note="no key")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/1")
    entries = [each for each in await desk.judge.store.audit(1) if each.what == "help_wanted"]
    assert [(each.who, each.detail, each.origin.split()[0]) for each in entries] == [("Grace", "no key", "page")]


async def test_put_aside_and_brought_back(desk: Desk) -> None:
    """With a reason and for some hours; the page offers to end it."""
    await desk.judge.record(opened(an_episode()))
    await send(desk, "shelve", by="Grace", hours="4", reason="defrosting")
    assert await state(desk) is AlertState.SHELVED
    assert "unshelve" in offered(await show(desk))
    await send(desk, "unshelve", by="Grace")
    assert await state(desk) is AlertState.UNACKNOWLEDGED


@pytest.mark.parametrize(
    ("deed", "fields", "status", "sentence"),
    [
        ("help", {"by": " "}, 422, "Write your name"),
        ("shelve", {"by": "Grace", "hours": "4", "reason": ""}, 422, "Reason"),
        ("shelve", {"by": "Grace", "hours": "many", "reason": "later"}, 422, "For how long?"),
        ("shelve", {"by": "Grace", "hours": "700", "reason": "later"}, 400, "within 7 days"),
        ("close", {"by": "Grace", "reason": ""}, 400, "closing an alert takes a reason"),
        ("close", {"by": "Grace", "reason": "x", "doses_affected": "few"}, 422, "Vaccine doses affected"),
        ("unshelve", {"by": "Grace"}, 409, "somebody was faster"),
    ],
)
async def test_what_is_refused_says_why(
    desk: Desk,
    deed: str,
    fields: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    """A page with a sentence for the person, and nothing has changed."""
    await desk.judge.record(opened(an_episode()))
    answer = await send(desk, deed, 1, **fields)
    assert answer.status_code == status
    assert sentence in Reader(answer.text).text
    assert await state(desk) is AlertState.UNACKNOWLEDGED


async def test_who_is_asked_next_is_said(desk: Desk) -> None:
    """A quarter of an hour on, by the clock of the place; no more once somebody has answered."""
    desk.judge.directory = ONE_BY_ONE
    await desk.judge.record(opened(an_episode()))
    asked = "If nobody answers, the next people are told Fri 20 Nov 15:50 EAT."
    assert asked in (await show(desk)).text
    await send(desk, "acknowledge", by="Grace")
    assert "If nobody answers" not in (await show(desk)).text


async def test_another_site_cannot_press_the_buttons(desk: Desk) -> None:
    """A form that another page sends is refused."""
    await desk.judge.record(opened(an_episode()))
    answer = await desk.client.post("/alerts/1/help", data={"by": "Mallory"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert all(each.what != "help_wanted" for each in await desk.judge.store.audit(1))
