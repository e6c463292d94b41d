"""Dead letters and waiting nodes over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx

from api.create import create_api
from api.services import IntakeDesk
from collector.journal.letters import Letter, LetterFilter, LetterGroup
from collector.lanes import Outcome
from collector.replaying import Replayed
from collector.waiting import WaitingNode
from domain.reading import Sample
from domain.rejection import Reason, Rejected
from domain.topics import UpLane
from tests.api.world import World

LETTER = Letter(7, Rejected(Reason.UNKNOWN_NODE, "not registered", "vitals/v1/pi/up/live", "pi", b"\x00[", 1_000))


class Desk:
    """Answers like the collector, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[LetterFilter] = []

    async def letters(self, wanted: LetterFilter, *, limit: int, newest_first: bool = False) -> Sequence[Letter]:
        """Return the one letter there is."""
        del limit, newest_first
        self.asked.append(wanted)
        return [LETTER] if wanted.after_id < LETTER.id <= wanted.upto_id else []

    async def groups(self, wanted: LetterFilter) -> Sequence[LetterGroup]:
        """Return its group."""
        del wanted
        return [LetterGroup(Reason.UNKNOWN_NODE, "pi", 1, 2, 1_000, 1_000, 7)]

    async def replay(self, wanted: LetterFilter) -> Replayed:
        """Pretend that a record was refused again."""
        self.asked.append(wanted)
        done = Replayed(letters=2, readings=30, left=1)
        done.refused[Reason.OUT_OF_RANGE] = 1
        return done

    async def waiting(self) -> Sequence[WaitingNode]:
        """Return a node."""
        return [WaitingNode("pi", 1_000, 2_000, 3, (Sample("t", 1_500, 4.5, unit="Cel"),))]


async def _nothing_is_posted(_node: str, _payload: bytes, _lane: UpLane) -> Outcome:
    raise AssertionError("nobody posts here")


def client_of(desk: Desk | None) -> httpx.AsyncClient:
    """Return a client of an API with this desk."""
    offered = None
    if desk is not None:
        offered = IntakeDesk(
            letters=desk.letters,
            letter_groups=desk.groups,
            replay=desk.replay,
            waiting=desk.waiting,
            node_of=lambda _: None,
            post=_nothing_is_posted,
        )
    app = create_api(World().services(intake=offered))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_letters_are_listed_and_shown_whole() -> None:
    """Bytes that are no text arrive as they came."""
    desk = Desk()
    async with client_of(desk) as client:
        listed = (await client.get("/api/v1/deadletters", params={"reason": "unknown_node", "node": "pi"})).json()
        one = (await client.get("/api/v1/deadletters/7")).json()
        assert (await client.get("/api/v1/deadletters/8")).status_code == 404
    assert desk.asked[0] == LetterFilter(Reason.UNKNOWN_NODE, "pi")
    assert listed["letters"] == [one]
    assert base64.b64decode(one["payload_base64"]) == b"\x00["
    assert listed["groups"][0]["letters"] == 1


async def test_a_replay_names_what_it_means() -> None:
    """One letter, or all that match; an unknown field is refused."""
    desk = Desk()
    async with client_of(desk) as client:
        answer = await client.post("/api/v1/deadletters/replay", json={"id": 7})
        await client.post("/api/v1/deadletters/replay", json={"reason": "unknown_channel"})
        assert (await client.post("/api/v1/deadletters/replay", json={"number": 7})).status_code == 422
    assert answer.json() == {"letters": 2, "readings": 30, "refused": {"out_of_range": 1}, "left": 1}
    assert desk.asked == [LetterFilter(after_id=6, upto_id=7), LetterFilter(Reason.UNKNOWN_CHANNEL)]


async def test_waiting_nodes_show_their_values() -> None:
    """An installer sees whether it is the right one."""
    async with client_of(Desk()) as client:
        (node,) = (await client.get("/api/v1/nodes/waiting")).json()["nodes"]
    assert (node["node"], node["messages"]) == ("pi", 3)
    assert node["channels"] == [
        {"name": "t", "measured_at": "1970-01-01T00:00:01.500Z", "value": 4.5, "unit": "Cel", "quality": "good"}
    ]


async def test_a_process_without_an_intake_says_so() -> None:
    """The web alone cannot answer for the collector."""
    async with client_of(None) as client:
        answer = await client.get("/api/v1/nodes/waiting")
    assert answer.status_code == 503
    assert "takes nothing in" in answer.json()["detail"]
