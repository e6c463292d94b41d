"""The telling of alerts over HTTP, on the real store in SQLite."""

from __future__ import annotations

from datetime import timedelta

from domain.instant import format_rfc3339
from tests.alerts.given import an_episode, ended, of_rule, opened
from tests.api.desk import Desk

API = "/api/v1"


async def test_who_was_told_and_what_happened(desk: Desk) -> None:
    """Messages without addresses, and the log from the first entry on."""
    await desk.judge.record(opened(an_episode()))
    told = (await desk.client.get(f"{API}/alerts/1/notifications")).json()["notifications"]
    assert {(each["contact"], each["channel"], each["state"]) for each in told} == {
        ("amina", "email", "queued"),
        ("amina", "sms", "queued"),
        ("joseph", "email", "queued"),
    }
    assert "+256" not in str(told)
    entries = (await desk.client.get(f"{API}/alerts/1/history")).json()["entries"]
    assert entries[0]["what"] == "raised"
    assert (await desk.client.get(f"{API}/alerts/7/history")).status_code == 404


async def test_incidents_name_their_root(desk: Desk) -> None:
    """What followed from the power cut stands under it."""
    await desk.judge.record(opened(of_rule("mains", an_episode())))
    await desk.judge.record(opened(of_rule("cut-off", an_episode())))
    (incident,) = (await desk.client.get(f"{API}/incidents")).json()["incidents"]
    assert (incident["number"], incident["root"], incident["facility"]) == (1, 1, "kasese-3")
    assert [alert["state"] for alert in incident["alerts"]] == ["unacknowledged", "suppressed"]
    assert (await desk.client.get(f"{API}/incidents", params={"facility": "lonely"})).json() == {"incidents": []}


async def test_shelving_needs_a_reason_and_an_end(desk: Desk) -> None:
    """It is bounded, listed, and can be taken back; then the alert speaks again."""
    await desk.judge.record(opened(an_episode()))
    assert (await desk.post("/alerts/1/shelve", by="Grace", hours=2, reason=" ")).status_code == 422
    assert (await desk.post("/alerts/1/shelve", by="Grace", hours=700, reason="later")).status_code == 400
    shelved = await desk.post("/alerts/1/shelve", by="Grace", hours=2, reason="the new one comes")
    assert shelved.json()["state"] == "shelved"
    (silence,) = (await desk.client.get(f"{API}/silences")).json()["silences"]
    assert (silence["kind"], silence["reason"], silence["created_by"]) == ("shelving", "the new one comes", "Grace")
    taken = await desk.client.delete(f"{API}/silences/{silence['id']}", params={"by": "Grace"})
    assert taken.status_code == 403  # a program says that it is none of our pages by sending JSON
    headers = {"content-type": "application/json"}
    taken = await desk.client.delete(f"{API}/silences/{silence['id']}", params={"by": "Grace"}, headers=headers)
    assert taken.status_code == 204
    assert (await desk.client.get(f"{API}/alerts/1")).json()["state"] == "unacknowledged"
    again = await desk.client.delete(f"{API}/silences/{silence['id']}", params={"by": "Grace"}, headers=headers)
    assert again.status_code == 404


async def test_unshelving_lets_it_speak_again(desk: Desk) -> None:
    """The alert says what can be done with it; doing it twice is a conflict that names what is possible."""
    await desk.judge.record(opened(an_episode()))
    shelved = (await desk.post("/alerts/1/shelve", by="Grace", hours=2, reason="the new one comes")).json()
    assert shelved["allowed_actions"] == ["acknowledge", "ask_for_help", "shelve", "unshelve"]
    spoken = (await desk.post("/alerts/1/unshelve", by="Amina", note="it came")).json()
    assert (spoken["state"], spoken["allowed_actions"]) == (
        "unacknowledged",
        ["acknowledge", "ask_for_help", "shelve"],
    )
    assert (await desk.client.get(f"{API}/silences")).json() == {"silences": []}
    entries = (await desk.client.get(f"{API}/alerts/1/history")).json()["entries"]
    assert [(each["who"], each["detail"]) for each in entries if each["what"] == "unshelved"] == [("Amina", "it came")]
    again = await desk.post("/alerts/1/unshelve", by="Amina")
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert "possible:" in again.json()["detail"]
    assert (await desk.post("/alerts/7/unshelve", by="Amina")).status_code == 404


async def test_an_alert_tells_its_incident_and_how_it_was_closed(desk: Desk) -> None:
    """Alone, in lists and in incidents alike."""
    await desk.judge.record(opened(of_rule("mains", an_episode())))
    await desk.judge.record(opened(of_rule("cut-off", an_episode())))
    await desk.judge.record(ended(of_rule("mains", an_episode())))
    said = {"reason": "door", "action": "shut it", "doses_affected": 12, "note": "for a week"}
    closed = (await desk.post("/alerts/1/close", by="Grace", **said)).json()
    assert closed["closing"] == said | {"by": "Grace", "at": format_rfc3339(desk.judge.now)}
    listed = (await desk.client.get(f"{API}/alerts")).json()["alerts"]
    assert [(each["id"], each["incident"], each["closing"]) for each in listed] == [
        (2, 1, None),
        (1, 1, closed["closing"]),
    ]
    assert closed["allowed_actions"] == []
    (incident,) = (await desk.client.get(f"{API}/incidents")).json()["incidents"]
    assert [(each["incident"], each["allowed_actions"]) for each in incident["alerts"]] == [
        (1, ["acknowledge", "ask_for_help"])
    ]
    assert (await desk.client.get(f"{API}/alerts/2")).json() == incident["alerts"][0] == listed[0]


async def test_closing_says_what_is_missing(desk: Desk) -> None:
    """An alert that is over is closed with a reason; what cannot happen any more is named."""
    await desk.judge.record(opened(an_episode()))
    await desk.judge.record(ended(an_episode()))
    assert "a reason" in (await desk.post("/alerts/1/close", by="Grace")).json()["detail"]
    closed = await desk.post("/alerts/1/close", by="Grace", reason="door", action="shut it", doses_affected=0)
    assert closed.json()["state"] == "normal"
    late = await desk.post("/alerts/1/shelve", by="Grace", hours=1, reason="why not")
    assert late.status_code == 409
    assert "possible:" in late.json()["detail"]


async def test_help_is_called(desk: Desk) -> None:
    """Where nobody is left to ask, the log says so and the alert stays what it was."""
    await desk.judge.record(opened(an_episode()))
    asked = await desk.post("/alerts/1/help", by="Amina", note="need a cold box")
    assert asked.json()["state"] == "unacknowledged"
    entries = (await desk.client.get(f"{API}/alerts/1/history")).json()["entries"]
    assert [each["what"] for each in entries if each["who"] == "Amina"] == ["help_wanted"]
    assert "nobody_left" in {each["what"] for each in entries}


async def test_maintenance_is_announced(desk: Desk) -> None:
    """It names what it is for; alerts of it are listed as out of service."""
    start = format_rfc3339(desk.judge.now)
    said = {"by": "Grace", "reason": "defrosting", "start": start}
    assert (await desk.post("/silences", **said)).status_code == 422
    assert (await desk.post("/silences", **said, facility="kasese-3", timezone="Mars/Olympus")).status_code == 422
    until = format_rfc3339(desk.judge.now + timedelta(hours=2))
    made = await desk.post("/silences", **said, facility="kasese-3", end=until)
    assert made.status_code == 201
    (change,) = await desk.judge.record(opened(an_episode()))
    assert (await desk.client.get(f"{API}/alerts/{change.alert.id}")).json()["state"] == "out_of_service"
    assert (await desk.client.get(f"{API}/outbox")).json() == {"counts": []}
