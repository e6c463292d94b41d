"""UPSes through NUT's protocol: what upsd says is understood, and its errors say what is broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.reading import Quality
from edge.drivers import create_driver
from edge.drivers.nut import MEASURES, NotNutError, NutSettings, VariableList, find_supply, judge, split_words
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

DUMPS = Path(__file__).parents[2] / "../shared/data/power/nut"


@asynccontextmanager
async def upsd(answer: bytes, *, silent: bool = False) -> AsyncIterator[int]:
    """Answer every question with these bytes and close; yields the port."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answer)
        if silent:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    assert set(asked) == {b"LIST VAR ups\n"}


def settings(port: int, *measures: str, timeout_seconds: float = 5.0) -> NutSettings:
    """Return settings whose channels are named after their measures."""
    channels = {measure: measure for measure in measures}
    return NutSettings(port=port, ups="ups", channels=channels, timeout_seconds=timeout_seconds)


@pytest.mark.parametrize("case", cases("nut"))
async def test_a_recorded_answer_is_read_as_expected(case: str) -> None:
    """A folder is a test case: what upsd sends, and what each measure is worth."""
    folder = FIXTURES / "nut" / case
    async with upsd((folder / "answer.txt").read_bytes()) as port:
        driver = create_driver(settings(port, *expected(folder)), JumpingClock())
        assert found(await driver.read()) == expected(folder)
        await driver.close()


async def test_a_server_that_hangs_is_the_bus() -> None:
    """Half an answer and then silence ends with the time-out, as an error of the bus."""
    async with upsd(b"BEGIN LIST VAR ups\n", silent=True) as port:
        driver = create_driver(settings(port, "supply", timeout_seconds=0.05), JumpingClock())
        assert found(await driver.read()) == {"supply": ("bus_error", None)}


async def test_no_server_is_the_bus() -> None:
    """A refused connection is an error of the bus, not of the UPS."""
    async with upsd(b"") as port:
        await create_driver(settings(port, "supply"), JumpingClock()).read()
    assert found(await create_driver(settings(port, "supply"), JumpingClock()).read()) == {
        "supply": ("bus_error", None)
    }


def dumped(text: str) -> dict[str, str]:
    """Return the variables of a recorded ``upsc`` dump."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "TIMER"))]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.skipif(not DUMPS.exists(), reason="the folder with recorded data is not here")
@pytest.mark.parametrize(
    ("dump", "measures"),
    [
        ("2E__PS1000L", {"supply": 1.0, "battery_charge": 0.76, "battery_runtime": 47_039.0, "input_voltage": 223.0}),
        ("APC__Back-UPS", {"supply": 1.0, "battery_charge": 1.0, "battery_runtime": 2580.0, "input_voltage": None}),
        ("APC__Smart-UPS", {"supply": 1.0, "input_voltage": 237.9, "temperature": 27.4, "output_current": 0.0}),
        ("IPAR__Mini", {"supply": 1.0, "input_voltage": 201.2, "battery_voltage": 13.8, "battery_charge": None}),
    ],
)
def test_dumps_of_real_devices_are_understood(dump: str, measures: dict[str, float | None]) -> None:
    """Real UPSes of four makers; what one of them does not report is gone, and says so."""
    (path,) = DUMPS.glob(f"{dump}*.dev")
    findings = judge(dumped(path.read_text(encoding="utf-8")), {measure: measure for measure in measures})
    assert {name: None if f.value is None else round(f.value, 6) for name, f in findings.items()} == measures
    assert {f.quality for f in findings.values() if f.value is None} <= {Quality.SENSOR_GONE}


words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=30)


@given(st.lists(words, max_size=6))
def test_quoted_words_come_back(sent: list[str]) -> None:
    """Whatever stands in a value, quotes and backslashes too, comes out as it went in."""
    line = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in sent)
    assert split_words(line) == sent


@given(st.text(max_size=200))
def test_no_line_does_worse_than_be_refused(line: str) -> None:
    """Any text is either words or not NUT's protocol."""
    try:
        words = split_words(line)
    except NotNutError:
        return
    assert all(isinstance(word, str) for word in words)


def test_a_list_without_end_is_refused() -> None:
    """A server that lists for ever is stopped, not collected."""
    answer = VariableList("ups")
    answer.take("BEGIN LIST VAR ups")
    lines = (f'VAR ups made.up.{number} "1"' for number in range(10_000))
    with pytest.raises(NotNutError):
        any(answer.take(line) for line in lines)


@given(st.sets(st.sampled_from(["OL", "OB", "LB", "CHRG", "DISCHRG", "BYPASS", "CAL", "RB", "OVER", "TRIM", "NEW"])))
def test_the_mains_are_never_off_on_contradicting_words(tokens: set[str]) -> None:
    """Off is said only where the UPS says on battery, and nothing in its status speaks against it."""
    finding = find_supply(frozenset(tokens))
    assert (finding.value == 0.0) == ("OB" in tokens and not tokens & {"OL", "CAL"})
    assert finding.quality is not Quality.GOOD or len(tokens & {"OL", "OB"}) == 1


def test_an_unknown_measure_is_refused_with_the_known_ones() -> None:
    """A typing error is answered with what there is."""
    with pytest.raises(ValidationError, match="battery_charge"):
        settings(3493, "battery_load")
    assert settings(3493, *MEASURES).channels.keys() == MEASURES.keys()
