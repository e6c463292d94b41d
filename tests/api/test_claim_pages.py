"""Claiming a node on its page: from the label to the first reading, over a real registry."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
import segno

from dashboards.pages.labels import claim_address, label_of
from domain.access import Role
from domain.document import Document
from domain.places import Place
from domain.reading import Quality, Reading, Sample
from registry.history import Occasion
from tests.api.claim_world import desk_with
from tests.api.registry_world import RegistryWorld, a_registry_world, somebody
from tests.api.test_registry_pages import Apart, Office, form_in, words_of

CLAIM = "/claim/pi-7"
HERE = f"{CLAIM}?facility=kasese-hc3"
NODE = "/registry/nodes/pi-7"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Give a registry, a node that waits, and a client who is a technician of Kasese."""
    async with a_registry_world(f"{tmp_path}/vitals.db") as registry:
        registry.who = somebody("Grace", Role.TECHNICIAN, Place("Uganda", "Rwenzori", "Kasese"))
        async with registry.client(intake=desk_with(registry)) as client:
            yield Office(registry, client)


def receive(registry: RegistryWorld, channel: str, value: float, ago: timedelta = timedelta(0)) -> None:
    """Let a reading have come some time ago."""
    at_ms = registry.world.clock.now_ms() - round(ago.total_seconds() * 1000)
    registry.world.readings.setdefault(channel, []).append(Reading(channel, at_ms, value, Quality.GOOD, at_ms))


async def test_from_the_label_to_the_first_reading(office: Office) -> None:
    """Facility, equipment and quantity are chosen or left as they are suggested; the page then waits and says it."""
    page = await office.show(CLAIM)
    assert "It is heard. Where does it stand?" in page.text
    assert HERE in page.links()
    mapping = await office.show(HERE)
    form = form_in(mapping)
    assert (form["of-fridge-0/temperature"], form["is-fridge-0/temperature"]) == ("fridge-0", "temperature")
    assert (form["of-freezer-1/t"], form["is-freezer-1/t"]) == ("new:freezer-1", "temperature")
    assert (form["of-mystery"], form["is-mystery"]) == ("-", "")
    assert "fridge-0/temperature 4.2 °C 12 s ago" in words_of(mapping)
    office.registry.world.clock.advance(timedelta(minutes=1))
    answer = await office.client.post(CLAIM, data={**form, "name-freezer-1": "Freezer of the ward", "interval": "5min"})
    assert (answer.status_code, answer.headers["location"]) == (303, NODE)
    directory = office.registry.directory
    assert directory.equipment["kasese-hc3/freezer-1"].name == "Freezer of the ward"
    assert directory.channels["kasese-hc3/freezer-1/temperature"].interval == timedelta(minutes=5)
    assert set(directory.channels_of_node("pi-7") or {}) == {"fridge-0/temperature", "freezer-1/t"}
    waiting = await office.client.get(NODE)
    assert "Waiting for the first reading" in waiting.text
    assert "While nothing comes" in waiting.text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in waiting.text
    assert 'data-every="4000"' in waiting.text
    receive(office.registry, "kasese-hc3/freezer-1/temperature", -18.4, timedelta(seconds=12))
    page = await office.show(NODE)
    assert "Reading received: -18.4 °C, 12 s ago" in page.text
    assert "While nothing comes" in page.text
    office.registry.world.clock.advance(timedelta(seconds=3))
    receive(office.registry, "kasese-hc3/fridge-0/temperature", 4.2)
    done = await office.client.get(NODE)
    assert "Reading received: 4.2 °C, 0 s ago" in done.text
    assert "refresh" not in done.text
    assert "While nothing comes" not in done.text


async def test_the_scanned_page_of_a_claimed_node_is_its_own(office: Office) -> None:
    """Whoever scans the label later comes to what the node sends, and so does a script for the changing parts."""
    await office.client.post(CLAIM, data=form_in(await office.show(HERE)))
    answer = await office.client.get(CLAIM)
    assert (answer.status_code, answer.headers["location"]) == (303, NODE)
    live = await office.client.get(f"{NODE}?part=live")
    assert "<nav" not in live.text
    assert 'id="headline"' in live.text


async def test_readings_of_the_node_before_are_not_taken_for_its_own(office: Office) -> None:
    """A gateway that takes the place of another keeps channel and limits, and its first reading is awaited."""
    assert "Takes the place of kasese-hc3-gw, with the same limits." in words_of(await office.show(HERE))
    limits = office.registry.directory.channels["kasese-hc3/fridge-0/temperature"].limits
    office.registry.world.clock.advance(timedelta(minutes=1))
    await office.client.post(CLAIM, data={**form_in(await office.show(HERE)), "of-freezer-1/t": "-"})
    channel = office.registry.directory.channels["kasese-hc3/fridge-0/temperature"]
    assert (channel.node, channel.limits) == ("pi-7", limits)
    assert "Waiting for the first reading" in (await office.show(NODE)).text
    receive(office.registry, channel.id, 4.4)
    assert "Reading received: 4.4 °C" in (await office.show(NODE)).text


async def test_a_claim_changes_nothing_of_what_is_there(office: Office) -> None:
    """Neither facility nor equipment, however old the page is from which it is sent."""
    form = form_in(await office.show(HERE))
    before = office.registry.directory
    renamed = replace(before.facilities["kasese-hc3"], name="Renamed")
    said = {name: value for name, value in asdict(renamed).items() if value is not None}
    await office.registry.store.import_document(Document("x", {"facilities": [said]}), occasion=Occasion(1))
    # Another process changed it, and this one has not noticed.
    answer = await office.client.post(CLAIM, data=form)
    assert answer.status_code == 422
    assert "kasese-hc3 was changed by somebody else meanwhile" in Apart(answer.text).text
    await office.registry.view.look()
    assert office.registry.directory.facilities["kasese-hc3"].name == "Renamed"
    assert (await office.client.post(CLAIM, data=form)).status_code == 303
    assert office.registry.directory.facilities["kasese-hc3"].name == "Renamed"
    assert office.registry.directory.equipment["kasese-hc3/fridge-0"] == before.equipment["kasese-hc3/fridge-0"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"of-fridge-0/temperature": "-", "of-freezer-1/t": "-"}, "for one channel at least"),
        ({"of-mystery": "new:mystery"}, "Choose what each channel measures"),
        ({"of-mystery": "new:mystery", "is-mystery": "fault", "name-mystery": "X"}, "the kind of all new equipment"),
        ({"interval": "often"}, "interval: found 'often'"),
        ({"name-freezer-1": ""}, "name: found ''"),
    ],
)
async def test_what_does_not_fit_is_said_and_nothing_is_lost(
    office: Office, fields: dict[str, str], sentence: str
) -> None:
    """The page comes back with what was chosen."""
    sent = {**form_in(await office.show(HERE)), **fields}
    answer = await office.client.post(CLAIM, data=sent)
    assert answer.status_code == 422
    page = Apart(answer.text)
    assert sentence in words_of(page)
    assert {name: text for name, text in form_in(page).items() if name in sent} == sent
    assert "pi-7" not in office.registry.directory.nodes


async def test_of_two_who_claim_at_once_one_is_told(office: Office) -> None:
    """The second sees that the node is somebody else's by now."""
    form = form_in(await office.show(HERE))
    # The other process has registered it, and this one has not noticed.
    row = Document("x", [{"facility": "kilembe-hc2", "id": "pi-7"}])
    await office.registry.store.import_document(row, occasion=Occasion(1))
    answer = await office.client.post(CLAIM, data=form)
    assert answer.status_code == 422
    assert "Somebody else has just claimed this node." in Apart(answer.text).text


async def test_a_node_that_nobody_heard_is_waited_for(office: Office) -> None:
    """What to check, and the page looks again with a script and without."""
    answer = await office.client.get("/claim/pi-99")
    assert "Nothing was heard of this node yet." in answer.text
    assert "What to check" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert (await office.client.post("/claim/pi-99", data={"facility": "kasese-hc3"})).status_code == 404


async def test_facilities_are_found_by_a_search_and_only_ones_own_are_offered(office: Office) -> None:
    """A technician of a district neither sees nor chooses a facility elsewhere."""
    office.registry.who = somebody("Amina", Role.MANAGER)
    await office.send("/registry/facilities/bwera-hospital/edit", district="Bundibugyo")
    office.registry.who = somebody("Grace", Role.TECHNICIAN, Place("Uganda", "Rwenzori", "Kasese"))
    text = (await office.show(CLAIM)).text
    assert "Kilembe" in text
    assert "Bwera" not in text
    assert "Kilembe" not in (await office.show(f"{CLAIM}?q=centre+III")).text
    await office.show(f"{CLAIM}?facility=bwera-hospital", 404)
    assert (await office.client.post(CLAIM, data={"facility": "bwera-hospital"})).status_code == 404


async def test_who_only_looks_sees_no_node_that_waits(office: Office) -> None:
    """The list of nodes is for viewers, claiming for technicians."""
    nodes = words_of(await office.show("/registry/nodes"))
    assert "pi-7 heard 10 s ago · 41 messages kept since" in nodes
    assert "freezer-1/t -18.4 °C 12 s ago" in nodes
    assert "bwera-hospital-gw Gateway Bwera Hospital heard 4 h 59 min ago" in nodes
    office.registry.who = somebody("Viewer", Role.VIEWER)
    assert "pi-7" not in (await office.show("/registry/nodes")).text
    await office.show(CLAIM, 403)
    await office.show("/registry/nodes/labels?node=pi-7", 403)


HOSTILE = (
    Sample("a/<script>", 0, 1.0),
    Sample("x" * 180, 0, float("1e308"), unit="<b>"),
    Sample("fridge-1/t", 0, None, Quality.BUS_ERROR),
)


async def test_what_a_stranger_sends_does_no_harm(tmp_path: Path) -> None:
    """Names, units and values of a node that nobody registered are text."""
    async with a_registry_world(f"{tmp_path}/vitals.db") as registry:
        registry.who = somebody("Grace", Role.TECHNICIAN)
        async with registry.client(intake=desk_with(registry, samples=HOSTILE)) as client:
            office = Office(registry, client)
            for path in ("/registry/nodes", CLAIM, HERE):
                text = (await client.get(path)).text
                assert "<script>" not in text
                assert "<b></b>" not in text
                assert "a/&lt;script&gt;" in text
            form = form_in(await office.show(HERE))
            form["of-a/<script>"] = "room"
            assert (await client.post(CLAIM, data=form)).status_code == 422


async def test_labels_are_drawn_for_printing(office: Office) -> None:
    """One for each node that is named, with the address that is claimed; what is no name is left out."""
    page = await office.show("/registry/nodes/labels?node=pi-7,pi-8+../x")
    assert "http://127.0.0.1/claim/pi-7" in page.text
    drawn = [attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg" and attributes.get("role")]
    assert drawn == ["QR code that claims pi-7", "QR code that claims pi-8"]


def test_a_label_holds_the_address() -> None:
    """Read back from its dark squares it is the code of that address."""
    label = label_of("https://vitals.example/", "pi-7")
    assert label.address == claim_address("https://vitals.example", "pi-7") == "https://vitals.example/claim/pi-7"
    squares = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", label.path)}
    matrix = segno.make(label.address, error="m", micro=False).matrix
    assert squares == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}
