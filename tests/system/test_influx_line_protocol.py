"""What the real InfluxDB reads in our lines is what we wrote."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import aiohttp
import pytest

from collector.forwarder.line_protocol import series, string_field
from tests.system.servers import InfluxServer, influxdb

pytestmark = pytest.mark.system

BLNS = Path(__file__).parents[2].parent / "shared" / "data" / "hostile" / "blns.json"

DELICATE = [
    "a b",
    "a,b",
    "a=b",
    'say "hi"',
    "a\\b",
    "a\\,b",
    "a\\ b",
    "a\\=b",
    '\\ \\="',
    "\\\\a",
    ",",
    "=",
    " ",
    "ünïcode ✓",
    "#x",
    "'",
]
REPLACED = ["ends with \\", "\\", "two\nlines", "tab\there", "nul\x00", "x\r\ny", "del\x7f", "c1\x85", "\ud800"]


async def write(server: InfluxServer, lines: list[str]) -> None:
    """Write lines with millisecond times to the database ``names``; anything but 204 fails the test."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/write?db=names&precision=ms", data="\n".join(lines).encode()) as response,
    ):
        assert response.status == 204, await response.text()


async def test_hostile_names_come_back_from_the_real_server(tmp_path: Path) -> None:
    """Every name is one series with one tag value: exact where the format can hold it, never anything injected."""
    hostile = [text for text in json.loads(BLNS.read_text("utf-8")) if text] if BLNS.exists() else []
    exhaustive = ["".join(signs) for length in (1, 2, 3) for signs in product('a,= \\"', repeat=length)]
    texts = list(dict.fromkeys(DELICATE + REPLACED + exhaustive + hostile))
    async with influxdb(tmp_path) as server:
        await server.query("CREATE DATABASE names")
        await write(
            server,
            [
                f"{series('m', {'name': text, 'n': str(n)})} said={string_field(text)} {n}"
                for n, text in enumerate(texts)
            ],
        )
        rows = await server.query('SELECT said FROM m GROUP BY n, "name"', database="names")
        measurements = await server.query("SHOW MEASUREMENTS", database="names")
        keys = await server.query("SHOW TAG KEYS", database="names")
    assert [series["values"] for series in measurements] == [[["m"]]]
    assert [series["values"] for series in keys] == [[["n"], ["name"]]]
    found = {int(row["tags"]["n"]): (row["tags"]["name"], row["values"]) for row in rows}
    assert sorted(found) == list(range(len(texts)))
    for n, text in enumerate(texts):
        name, values = found[n]
        assert [at for at, _ in values] == [n]
        if not any(sign < " " or "\x7f" <= sign < "\xa0" or "\ud800" <= sign < "\ue000" for sign in text):
            assert values[0][1] == text
            assert name == text or re.search(r"\\([,= ]|\Z)", text)


async def test_awkward_measurements_come_back_from_the_real_server(tmp_path: Path) -> None:
    """A measurement's name is data too, even where it could be taken for a comment, a tag or a field."""
    texts = ["#not a comment", "a b", "a,b=c", "a=b", "back\\slash", "ends\\", 'quo"te', "two\nlines value=1"]
    async with influxdb(tmp_path) as server:
        await server.query("CREATE DATABASE names")
        await write(server, [f"{series(text, {})} value=1 1" for text in texts])
        (found,) = await server.query("SHOW MEASUREMENTS", database="names")
    names = {name for (name,) in found["values"]}
    assert len(names) == len(texts)
    assert {"a b", "a,b=c", "a=b", "back\\slash", 'quo"te'} <= names
