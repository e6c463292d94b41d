"""Readings over HTTP, through a real pipeline and a real journal."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.create import create_api
from api.problems import RequestError
from api.readings import MOST_BYTES, inflate
from api.services import IntakeDesk
from collector.journal import Journal
from collector.posting import Posting
from collector.replaying import Replay
from collector.waiting import Waiting
from domain.reading import Batch, Reading, Sample
from domain.rejection import Rejected
from domain.senml import WireFormat, encode
from tests.api.world import World
from tests.collector.intake import NOW_MS, Recorder, StoppedClock, directory, fridge, payload, running

PATH = "/api/v1/readings"
JSON = {"Content-Type": "application/senml+json"}
TOKENS = {"of-n1": "n1", "of-stranger": "stranger"}


@asynccontextmanager
async def api(
    folder: Path, *, most_waiting: int = 10, most_of_one: int = 10, patience_seconds: float = 5.0
) -> AsyncIterator[tuple[httpx.AsyncClient, Journal, Recorder]]:
    """Run the API over a pipeline that knows n1."""
    recorder, clock = Recorder(), StoppedClock()

    async def commit(readings: Sequence[Reading], rejected: Sequence[Rejected]) -> int:
        position = await recorder.commit(readings, rejected)
        await journal.commit(readings, rejected)
        return position

    async with Journal.open(folder) as journal, running(recorder, directory("n1"), commit=commit) as pipeline:
        posting = Posting(
            pipeline.accept,
            clock,
            most_waiting=most_waiting,
            most_of_one=most_of_one,
            patience_seconds=patience_seconds,
        )
        replay = Replay(journal, pipeline.accept, clock)
        desk = IntakeDesk(
            letters=journal.letters,
            letter_groups=journal.letter_groups,
            replay=replay.run,
            waiting=Waiting(journal, replay, lambda: directory("n1")).nodes,
            node_of=TOKENS.get,
            post=posting.take,
        )
        app = create_api(World().services(intake=desk))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", headers={"Authorization": "Bearer of-n1"}
        ) as client:
            yield client, journal, recorder


@pytest.mark.parametrize("wire_format", WireFormat)
@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
async def test_what_is_answered_200_is_stored(tmp_path: Path, wire_format: WireFormat, coding: str) -> None:
    """In both formats, with any coding; once more changes nothing."""
    content = encode(Batch("n1", None, None, (fridge(NOW_MS), fridge(NOW_MS - 60_000))), format=wire_format)
    body = {"identity": content, "gzip": gzip.compress(content), "deflate": zlib.compress(content)}[coding]
    headers = {"Content-Type": f"application/senml+{wire_format.value}", "Content-Encoding": coding}
    async with api(tmp_path) as (client, journal, _):
        for _ in range(2):
            answer = await client.post(PATH, content=body, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"stored": 2, "refused": []})
        assert await journal.count() == 2


async def test_a_pack_that_names_itself_is_receipted(tmp_path: Path) -> None:
    """Epoch and number come back, the second time too, also beside a record that was refused."""
    content = encode(
        Batch("n1", "1f0c9a77", 42, (fridge(NOW_MS), Sample("fridge", NOW_MS - 1, 4_000.0))), format=WireFormat.JSON
    )
    async with api(tmp_path) as (client, journal, _):
        for _ in range(2):
            answer = (await client.post(PATH, content=content, headers=JSON)).json()
            assert (answer["stored"], len(answer["refused"])) == (1, 1)
            assert answer["receipt"] == {"epoch": "1f0c9a77", "seq": 42}
        assert await journal.count() == 1


@pytest.mark.parametrize("cut", [1, 7, 40])
async def test_gzip_may_come_in_several_members(tmp_path: Path, cut: int) -> None:
    """As a sender writes that appends to a compressed file; the whole is one pack."""
    content = payload("n1", None, fridge(NOW_MS))
    body = gzip.compress(content[:cut]) + gzip.compress(b"") + gzip.compress(content[cut:])
    async with api(tmp_path) as (client, journal, _):
        answer = await client.post(PATH, content=body, headers=JSON | {"Content-Encoding": "gzip"})
        assert (answer.status_code, await journal.count()) == (200, 1)


async def test_refused_records_are_named_and_the_others_stored(tmp_path: Path) -> None:
    """As over MQTT: a record that is wrong costs itself."""
    content = payload("n1", None, fridge(NOW_MS), Sample("fridge", NOW_MS - 1, 4_000.0))
    async with api(tmp_path) as (client, journal, _):
        answer = (await client.post(PATH, content=content, headers=JSON)).json()
        assert answer["stored"] == await journal.count() == 1
        assert [(each["reason"], "4000" in each["detail"]) for each in answer["refused"]] == [("out_of_range", True)]


def gzipped(content: bytes) -> bytes:
    """Compress without the time of day: processes that run tests side by side must name the same ones."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"[broken", JSON, 400),
        (b"{}", JSON, 400),
        (b"[]", JSON, 400),
        (b"[" * 10_000, JSON, 400),
        (b"[]", {"Content-Type": "text/plain"}, 415),
        (b"[]", JSON | {"Content-Encoding": "br"}, 415),
        (b"no gzip", JSON | {"Content-Encoding": "gzip"}, 400),
        (gzipped(b"[") + b"more", JSON | {"Content-Encoding": "gzip"}, 400),
        (gzipped(b"[" + b" " * 1_000_000 + b"]"), JSON | {"Content-Encoding": "gzip"}, 413),
        (gzipped(b" " * 200_000) * 2, JSON | {"Content-Encoding": "gzip"}, 413),
        (gzipped(b"[]") + gzipped(b"")[:9], JSON | {"Content-Encoding": "gzip"}, 400),
        (
            gzipped(b"[") + gzipped(b"") * 5_000 + gzipped(b"]"),
            JSON | {"Content-Encoding": "gzip"},
            400,
        ),
        (zlib.compress(b"[") + zlib.compress(b"]"), JSON | {"Content-Encoding": "deflate"}, 400),
        (b"x" * (MOST_BYTES + 1), JSON, 413),
        (b"[]", JSON | {"Authorization": "Bearer nobody's"}, 401),
        (b"[]", {"Content-Type": "application/json", "Authorization": "Basic of-n1"}, 401),
    ],
)
async def test_what_cannot_be_taken_is_a_problem_document(
    tmp_path: Path, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Each with the status that says whose fault it is."""
    async with api(tmp_path) as (client, journal, _):
        answer = await client.post(PATH, content=content, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert (status == 401) == ("www-authenticate" in answer.headers)
        assert await journal.count() == 0


async def test_a_token_speaks_for_its_own_node(tmp_path: Path) -> None:
    """Records under another node's name are refused, whatever the token."""
    content = payload("n2", None, fridge(NOW_MS))
    async with api(tmp_path) as (client, journal, _):
        answer = (await client.post(PATH, content=content, headers=JSON)).json()
        assert (answer["stored"], [each["reason"] for each in answer["refused"]]) == (0, ["wrong_node"])
        assert await journal.count() == 0


async def test_a_node_that_is_not_registered_waits(tmp_path: Path) -> None:
    """202: it is kept, and brought in once the node is registered."""
    content = payload("stranger", None, fridge(NOW_MS))
    async with api(tmp_path) as (client, _, _):
        headers = JSON | {"Authorization": "Bearer of-stranger"}
        assert (await client.post(PATH, content=content, headers=headers)).status_code == 202
        (node,) = (await client.get("/api/v1/nodes/waiting")).json()["nodes"]
        assert (node["node"], node["messages"]) == ("stranger", 1)


async def test_senders_that_would_wait_too_long_are_told_to_come_back(tmp_path: Path) -> None:
    """429 where too many wait, 503 where nothing can be stored; both with Retry-After, and nothing is lost."""
    content = payload("n1", None, fridge(NOW_MS))
    async with api(tmp_path, most_waiting=2, patience_seconds=0.3) as (client, journal, recorder):
        release = asyncio.Event()

        async def hold(_readings: object, _rejected: object) -> None:
            await release.wait()

        recorder.before_commit = hold
        answers = await asyncio.gather(*(client.post(PATH, content=content, headers=JSON) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [429, 503, 503]
        assert all(answer.headers["retry-after"] == "10" for answer in answers)
        recorder.before_commit = None
        release.set()
        assert (await client.post(PATH, content=content, headers=JSON)).json()["stored"] == 1
        assert await journal.count() == 1


async def test_one_sender_does_not_shut_out_another(tmp_path: Path) -> None:
    """A node has few places of those that wait; the others stay free for others."""
    async with api(tmp_path, most_of_one=2, patience_seconds=0.5) as (client, _, recorder):
        release = asyncio.Event()

        async def hold(_readings: object, _rejected: object) -> None:
            await release.wait()

        recorder.before_commit = hold
        mine, other = payload("n1", None, fridge(NOW_MS)), {"Authorization": "Bearer of-stranger"}
        sending = [asyncio.create_task(client.post(PATH, content=mine, headers=JSON)) for _ in range(3)]
        theirs = await client.post(PATH, content=payload("stranger", None, fridge(NOW_MS)), headers=JSON | other)
        assert theirs.status_code == 503, "it waited, though nothing could be stored"
        assert sorted(answer.status_code for answer in await asyncio.gather(*sending)) == [429, 503, 503]
        release.set()


async def test_a_page_of_another_site_cannot_post(tmp_path: Path) -> None:
    """A browser says where it comes from, token or not."""
    async with api(tmp_path) as (client, _, _):
        headers = JSON | {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await client.post(PATH, content=b"[]", headers=headers)).status_code == 403


async def test_the_way_in_is_described(tmp_path: Path) -> None:
    """OpenAPI names the types of the body and the answers."""
    async with api(tmp_path) as (client, _, _):
        described = (await client.get("/api/v1/openapi.json")).json()["paths"][PATH]["post"]
    assert "application/senml+cbor" in described["requestBody"]["content"]
    assert {"200", "202", "400", "401", "413", "415", "429", "503"} <= described["responses"].keys()


@settings(deadline=None)
@given(sizes=st.lists(st.sampled_from([0, 1, MOST_BYTES // 3, MOST_BYTES // 2, MOST_BYTES]), min_size=1, max_size=4))
def test_members_together_have_the_same_bound(sizes: list[int]) -> None:
    """However a body is cut into members, it is taken whole up to the bound and refused beyond it."""
    parts = [bytes([number]) * size for number, size in enumerate(sizes)]
    body, whole = b"".join(map(gzip.compress, parts)), b"".join(parts)
    if len(whole) <= MOST_BYTES:
        assert inflate(body, 16 + zlib.MAX_WBITS) == whole
    else:
        with pytest.raises(RequestError):
            inflate(body, 16 + zlib.MAX_WBITS)


@given(content=st.binary(max_size=400), coding=st.sampled_from([16 + zlib.MAX_WBITS, zlib.MAX_WBITS]))
def test_inflating_is_bounded_whatever_the_bytes(content: bytes, coding: int) -> None:
    """Either the bytes that were compressed, or a refusal."""
    compress = gzip.compress if coding > zlib.MAX_WBITS else zlib.compress
    assert inflate(compress(content), coding) == content
    with suppress(RequestError):
        assert len(inflate(content, coding)) <= MOST_BYTES
