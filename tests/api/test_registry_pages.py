"""The registry's pages over a real registry: what they show, what their forms do, and to whom."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from domain.access import Role
from domain.document import Document
from domain.places import Place
from registry.history import Occasion
from tests.api.registry_world import RegistryWorld, a_registry_world, somebody
from tests.api.test_api_pages import Reader
from tests.api.world import World, with_hostile_names

KASESE = "/registry/facilities/kasese-hc3"
FRIDGE = "/equipment/kasese-hc3/fridge-1"
PLACE = {"country": "Uganda", "region": "Rwenzori", "district": "Kasese", "timezone": "Africa/Kampala"}
MANAGER = somebody("Amina", Role.MANAGER)


class Apart(Reader):
    """What a browser would see, with the texts of neighbouring tags apart, and each option with its value."""

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += f"{data} "
        if self.tags and self.tags[-1][0] == "option":
            self.tags[-1][1].setdefault("value", data)


class Office(NamedTuple):
    """A registry and a client of its pages."""

    registry: RegistryWorld
    client: httpx.AsyncClient

    async def show(self, path: str, status: int = 200) -> Reader:
        """Return a page as a browser sees it."""
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return Apart(answer.text)

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the mark that its page holds, with these fields in place of what stands in it."""
        return await self.client.post(path, data={**form_in(await self.show(path)), **fields})


def form_in(page: Reader) -> dict[str, str]:
    """Return what the fields of the page's form hold, as a browser would send them."""
    held: dict[str, str] = {}
    select = ""
    inside = False
    for tag, attributes in page.tags:
        if tag == "form":
            inside = attributes.get("method") == "post" and attributes.get("action") not in ("/language", "/sign-out")
        if not inside:
            continue
        name = attributes.get("name") or ""
        if tag == "input" and name:
            held[name] = attributes.get("value") or ""
        if tag in ("select", "datalist"):
            select = name
        if tag == "option" and select and (select not in held or "selected" in attributes):
            held[select] = attributes.get("value") or ""
    return held


def words_of(page: Reader) -> str:
    """Return the page's text with single blanks."""
    return re.sub(r"\s+([,:.])", r"\1", " ".join(page.text.split()))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Give a registry and a client who is a manager of the whole country."""
    async with a_registry_world(f"{tmp_path}/vitals.db") as registry:
        registry.who = MANAGER
        async with registry.client() as client:
            yield Office(registry, client)


async def test_the_list_says_what_is_missing_and_finds(office: Office) -> None:
    """Each facility with what it lacks; a search by any part of name or place, a choice by what is missing."""
    await office.send("/registry/facilities/new", name="Rukoki", **PLACE)
    for facility in ("kasese-hc3", "bwera-hospital", "kilembe-hc2"):
        await office.send(f"/registry/facilities/{facility}/edit", latitude="0.18", longitude="30.08")
    page = await office.show("/registry")
    assert "4 facilities are registered" in page.text
    assert "No equipment 1 No node 1 No coordinates 1" in words_of(page)
    found = words_of(await office.show("/registry?q=kasese+health"))
    assert "Kasese Health Centre III" in found
    assert "Bwera" not in found
    missing = words_of(await office.show("/registry?lacks=coordinates"))
    assert "Rukoki" in missing
    assert "Kasese Health Centre III" not in missing
    assert "No facility matches" in (await office.show("/registry?q=nowhere")).text


async def test_a_facility_is_added_and_edited_by_its_forms(office: Office) -> None:
    """Its short name is made from its name; what was filled in is registered, and logged with both values."""
    answer = await office.send("/registry/facilities/new", name="Rukoki Health Centre", **PLACE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/registry/facilities/rukoki-health-centre")
    address = answer.headers["location"]
    assert office.registry.directory.facilities["rukoki-health-centre"].district == "Kasese"
    assert (
        await office.send(f"{address}/edit", name="Rukoki HC IV", latitude="-0.5", longitude="30")
    ).status_code == 303
    known = office.registry.directory.facilities["rukoki-health-centre"]
    assert (known.name, known.latitude) == ("Rukoki HC IV", -0.5)
    (change,) = await office.registry.log.changes(limit=1)
    assert (change.author, change.origin) == ("Amina", "page 127.0.0.1 user:amina")
    assert change.before == {"name": "Rukoki Health Centre"}
    log = words_of(await office.show("/registry/changes"))
    assert "Facility changed rukoki-health-centre, by Amina name Rukoki Health Centre → Rukoki HC IV" in log


async def test_an_edit_changes_nothing_else(office: Office) -> None:
    """Equipment, nodes and channels of a facility stay, and a channel keeps its limits when its name changes."""
    before = office.registry.directory
    await office.send(f"{KASESE}/edit", name="Other")
    await office.send(f"{FRIDGE}/channels/temperature/edit", name="fridge-1/t")
    after = office.registry.directory
    assert (after.equipment, after.nodes, list(after.channels)) == (
        before.equipment,
        before.nodes,
        list(before.channels),
    )
    channel = after.channels["kasese-hc3/fridge-1/temperature"]
    assert (channel.name, channel.limits) == ("fridge-1/t", {"low": 2.0, "high": 8.0})


@pytest.mark.parametrize(
    ("path", "fields", "field", "sentence"),
    [
        (f"{KASESE}/edit", {"latitude": "95"}, "latitude", "Allowed: less than or equal to 90"),
        (f"{KASESE}/edit", {"latitude": "north"}, "latitude", "Found 'north'"),
        (f"{KASESE}/edit", {"timezone": "Africa/Kampla"}, "timezone", "Africa/Kampala"),
        (f"{KASESE}/edit", {"district": ""}, "district", "This has to be filled in."),
        ("/registry/facilities/new", {"name": "X", "id": "Kasese HC", **PLACE}, "id", "small letters"),
        ("/registry/facilities/new", {"name": "X", "id": "kasese-hc3", **PLACE}, "id", "already"),
        (f"{FRIDGE}/edit", {"pqs_code": "a fridge"}, "pqs_code", "E003/045"),
        (f"{FRIDGE}/edit", {"installed": "yesterday"}, "installed", "2024-05-31"),
        (f"{KASESE}/equipment/new", {"name": "X", "id": "fridge-1"}, "id", "already"),
        (f"{FRIDGE}/channels/new", {"quantity": "temperature"}, "id", "measured here already"),
        (f"{FRIDGE}/channels/new", {"quantity": "humidity", "interval": "often"}, "interval", "10min"),
        (f"{FRIDGE}/channels/temperature/limits", {"limit.low": "warm", "reason": "x"}, "limit.low", "celsius"),
        (f"{FRIDGE}/channels/temperature/limits", {"limit.low": "3"}, "reason", "filled in"),
        (f"{FRIDGE}/channels/temperature/limits", {"reason": "x", "from": "2099-01-01T00:00"}, "from", "over"),
        (f"{FRIDGE}/channels/temperature/limits", {"reason": "x", "from": "soon"}, "from", "2026-11-20T12:00"),
    ],
)
async def test_what_cannot_be_stands_beside_its_field(
    office: Office, path: str, fields: dict[str, str], field: str, sentence: str
) -> None:
    """The page comes back with what was written, the field marked, and the same words that an import says."""
    version = await office.registry.store.version()
    answer = await office.send(path, **fields)
    assert answer.status_code == 422
    page = Apart(answer.text)
    (wrong,) = [attributes for _, attributes in page.tags if attributes.get("aria-invalid")]
    assert wrong["name"] == field
    assert sentence in page.text
    if field != "timezone":  # a choice cannot hold what is no choice
        assert form_in(page).get(field, "") == fields.get(field, "")
    assert await office.registry.store.version() == version


async def test_limits_above_each_other_are_refused_as_a_whole(office: Office) -> None:
    """What no single field is guilty of stands above the form."""
    answer = await office.send(f"{FRIDGE}/channels/temperature/limits", **{"limit.low": "9", "reason": "x"})
    assert answer.status_code == 422
    assert "low up to high" in Reader(answer.text).text


async def test_the_second_of_two_managers_sees_both_values(office: Office) -> None:
    """Nothing is saved; saving again, having seen it, puts theirs in place."""
    mine = form_in(await office.show(f"{KASESE}/edit"))
    office.registry.who = somebody("Grace", Role.MANAGER)
    await office.send(f"{KASESE}/edit", name="By Grace", region="Western")
    office.registry.who = MANAGER
    answer = await office.client.post(f"{KASESE}/edit", data={**mine, "name": "By Amina"})
    assert answer.status_code == 409
    page = Apart(answer.text)
    text = words_of(page)
    assert "Somebody changed this while you were writing Grace, Fri 20 Nov 12:00 UTC" in text
    assert "Name By Amina By Grace" in text
    assert "Region Rwenzori Western" in text
    assert office.registry.directory.facilities["kasese-hc3"].name == "By Grace"
    again = form_in(page)
    assert again["name"] == "By Amina"
    assert (await office.client.post(f"{KASESE}/edit", data=again)).status_code == 303
    assert office.registry.directory.facilities["kasese-hc3"].name == "By Amina"


async def test_equipment_is_added_and_shown(office: Office) -> None:
    """Model, PQS code, serial number and day of installation; a link to the charts."""
    answer = await office.send(
        f"{KASESE}/equipment/new",
        name="Frigo de réserve",
        kind="fridge",
        model="TCW 40R AC",
        serial="A-10442",
        pqs_code="E003/045",
        installed="2024-05-31",
    )
    assert answer.headers["location"] == "/equipment/kasese-hc3/frigo-de-reserve"
    page = await office.show(answer.headers["location"])
    for text in ("TCW 40R AC", "A-10442", "E003/045", "2024-05-31", "Functioning", "Nothing is measured here."):
        assert text in page.text
    assert "/facilities/kasese-hc3" in page.links()


async def test_a_channel_is_added_under_the_node_that_reports_it(office: Office) -> None:
    """A second temperature of one fridge takes a short name."""
    fields = {"quantity": "temperature", "id": "freezer", "node": "kasese-hc3-gw", "interval": "5min"}
    assert (await office.send(f"{FRIDGE}/channels/new", **fields)).status_code == 303
    channel = office.registry.directory.channels["kasese-hc3/fridge-1/freezer"]
    assert (channel.node, channel.name) == ("kasese-hc3-gw", "fridge-1/freezer")


async def test_limits_change_with_author_reason_and_moment(office: Office) -> None:
    """The page says what held before, since when, and where each limit of today comes from."""
    said = Document("limits", [{"quantity": "temperature", "equipment": "fridge", "limit.high": "7.5"}])
    await office.registry.store.import_document(said, occasion=Occasion(office.registry.world.clock.now_ms()))
    await office.registry.view.look()
    fields = {"limit.low": "2.5", "limit.high": "", "reason": "new thermostat", "from": "2026-11-20T09:00"}
    assert (await office.send(f"{FRIDGE}/channels/temperature/limits", **fields)).status_code == 303
    assert office.registry.directory.channels["kasese-hc3/fridge-1/temperature"].limits == {"low": 2.5, "high": 7.5}
    text = words_of(await office.show(FRIDGE))
    assert "Lowest allowed 2.5 °C said for this channel" in text
    assert "Highest allowed 7.5 °C said for every piece of equipment of this kind" in text
    assert "Fri 20 Nov 09:00 EAT" in text
    assert "Amina, Fri 20 Nov 15:00 EAT: new thermostat" in text
    assert "Channel changed kasese-hc3/fridge-1/temperature, by Amina: new thermostat limits" in text


async def test_the_state_of_equipment_and_its_history(office: Office) -> None:
    """Out of service says that nobody is told; functioning again stands above what was."""
    await office.client.post(f"{FRIDGE}/state", data={"state": "out_of_service", "why": "no gas"})
    assert office.registry.directory.out_of_service == {"kasese-hc3/fridge-1"}
    page = await office.show(FRIDGE)
    assert "Nobody is told of its alerts" in page.text
    assert "Out of service" in words_of(await office.show(KASESE))
    await office.client.post(f"{FRIDGE}/state", data={"state": "functioning", "since": "2026-11-20T14:30"})
    text = words_of(await office.show(FRIDGE))
    assert "Functioning since Fri 20 Nov 14:30 EAT Amina" in text
    assert "Out of service since Fri 20 Nov 15:00 EAT: no gas Amina" in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "broken"}, "Choose how it is."),
        ({"state": "needs_repair"}, "Say what is wrong with it."),
        ({"state": "needs_repair", "why": "x", "since": "monday"}, "2026-11-20T12:00"),
    ],
)
async def test_a_state_that_says_too_little_is_refused(office: Office, fields: dict[str, str], sentence: str) -> None:
    """With a sentence for the person, and nothing has changed."""
    answer = await office.client.post(f"{FRIDGE}/state", data=fields)
    assert answer.status_code == 422
    assert sentence in Reader(answer.text).text
    assert office.registry.directory.upkeep == {}


async def test_a_visit_is_written_down_corrected_and_withdrawn(office: Office) -> None:
    """By a technician, of one piece of equipment or of everything; each step takes the place of the one before."""
    office.registry.who = somebody("Grace", Role.TECHNICIAN)
    fields = {"equipment": "kasese-hc3/fridge-1", "at": "2026-11-19T10:00", "visitor": "Joseph", "found": "ice"}
    answer = await office.client.post(f"{KASESE}/visits", data=fields)
    assert answer.headers["location"] == FRIDGE
    text = words_of(await office.show(FRIDGE))
    assert "Thu 19 Nov 10:00 EAT Joseph Fridge 2 Found: ice written by Grace" in text
    page = await office.show(KASESE)
    (correct,) = [each for each in page.links() if each.startswith("/visits/")]
    await office.client.post(correct, data={**fields, "found": "ice, and a broken hinge", "done": "defrosted"})
    text = words_of(await office.show(KASESE))
    assert "Found: ice, and a broken hinge Done: defrosted" in text
    (correct,) = [each for each in (await office.show(KASESE)).links() if each.startswith("/visits/")]
    await office.client.post(correct, data={**fields, "deed": "withdraw"})
    assert "No visit was written down." in (await office.show(KASESE)).text
    answer = await office.client.post(f"{KASESE}/visits", data={"at": "2026-11-19T10:00"})
    assert answer.status_code == 422


async def test_a_viewer_looks_and_a_technician_does_not_change_the_registry(office: Office) -> None:
    """No form is offered to whom it is refused, and every form is refused to whom it is not offered."""
    office.registry.who = somebody("Viewer", Role.VIEWER)
    for path in ("/registry", KASESE, FRIDGE, "/registry/changes", "/registry/nodes"):
        links = (await office.show(path)).links()
        assert not [each for each in links if each.endswith(("/edit", "/new", "/visits", "/state", "/limits"))]
    edits = (f"{KASESE}/edit", f"{FRIDGE}/edit", f"{FRIDGE}/channels/temperature/limits", "/registry/facilities/new")
    for who in ("Viewer", "Technician"):
        office.registry.who = somebody(who, Role[who.upper()])
        for path in edits:
            await office.show(path, 403)
            assert (await office.client.post(path, data={"name": "X", "reason": "x"})).status_code == 403
    office.registry.who = somebody("Technician", Role.TECHNICIAN)
    repair = {"state": "needs_repair", "why": "hums"}
    assert (await office.client.post(f"{FRIDGE}/state", data=repair)).status_code == 303
    assert (await office.client.post(f"{FRIDGE}/state", data={**repair, "state": "out_of_service"})).status_code == 403
    office.registry.who = somebody("Viewer", Role.VIEWER)
    assert (await office.client.post(f"{FRIDGE}/state", data=repair)).status_code == 403
    assert (await office.client.post(f"{KASESE}/visits", data={"found": "x"})).status_code == 403


async def test_a_districts_manager_stays_within_it(office: Office) -> None:
    """Adds and edits there, moves nothing out, and what lies elsewhere is not there."""
    office.registry.who = somebody("Amina", Role.MANAGER)
    await office.send("/registry/facilities/bwera-hospital/edit", district="Bundibugyo")
    office.registry.who = somebody("Joseph", Role.MANAGER, Place("Uganda", "Rwenzori", "Kasese"))
    assert "Bwera" not in (await office.show("/registry")).text
    for path in ("", "/edit", "/equipment/new"):
        await office.show(f"/registry/facilities/bwera-hospital{path}", 404)
    await office.show("/equipment/bwera-hospital/fridge-0", 404)
    assert "bwera" not in (await office.show("/registry/changes")).text
    assert (await office.send(f"{KASESE}/edit", name="Mine")).status_code == 303
    assert (await office.send(f"{KASESE}/edit", district="Bundibugyo")).status_code == 403
    elsewhere = {**PLACE, "district": "Gulu", "name": "Elsewhere"}
    assert (await office.send("/registry/facilities/new", **elsewhere)).status_code == 403
    assert (await office.send("/registry/facilities/new", **PLACE, name="Here")).status_code == 303
    taken = await office.send("/registry/facilities/new", **PLACE, name="X", id="bwera-hospital")
    assert taken.status_code == 403
    assert office.registry.directory.facilities["bwera-hospital"].name == "Bwera Hospital"
    assert office.registry.directory.facilities["kasese-hc3"].district == "Kasese"


async def test_where_nobody_signs_in_a_change_takes_a_name(tmp_path: Path) -> None:
    """The form asks for it, and refuses without one."""
    async with a_registry_world(f"{tmp_path}/vitals.db") as registry, registry.client() as client:
        office = Office(registry, client)
        assert "by" in form_in(await office.show(f"{KASESE}/edit"))
        assert (await office.send(f"{KASESE}/edit", name="X", by=" ")).status_code == 422
        assert (await office.send(f"{KASESE}/edit", name="X", by="Grace")).status_code == 303
        assert (await registry.log.changes(limit=1))[0].author == "Grace"


HOSTILE = (
    "<script>alert(1)</script>",
    "\u202eevil",
    "'; DROP TABLE facility; --",
    "{{ 7*7 }}",
    "%s {name} {0}",
    "😀" * 60,
)


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_name_does_harm(tmp_path: Path, name: str) -> None:
    """Names of facilities, equipment, people and reasons are shown as they are, and nothing of them is a tag."""
    world = with_hostile_names(World(), [name])
    async with a_registry_world(f"{tmp_path}/vitals.db", world) as registry:
        registry.who = somebody(name, Role.MANAGER)
        async with registry.client() as client:
            office = Office(registry, client)
            facility, item = "/registry/facilities/hostile-0", "/equipment/hostile-0/fridge-0"
            await client.post(f"{item}/state", data={"state": "needs_repair", "why": name})
            await client.post(f"{facility}/visits", data={"visitor": name, "found": name, "done": name, "note": name})
            await office.send(f"{item}/edit", model=name, serial=name)
            for path in ("/registry", facility, item, f"{facility}/edit", f"{item}/edit", "/registry/changes"):
                page = await office.show(path)
                assert name in page.text or name in form_in(page).values()
                assert [attributes.get("src") for tag, attributes in page.tags if tag == "script"] == [
                    each for each in page.links() if each.startswith("/static/vitals.js")
                ]


async def test_the_pages_are_light(office: Office) -> None:
    """At most 40 KB compressed in all, the list of time zones included."""
    for path in ("/registry", KASESE, FRIDGE, f"{KASESE}/edit", f"{FRIDGE}/channels/new", "/registry/nodes"):
        page = await office.client.get(path)
        files = [each for each in Reader(page.text).links() if each.startswith("/static/")]
        bodies = [page.content] + [(await office.client.get(each)).content for each in dict.fromkeys(files)]
        assert sum(len(gzip.compress(body, 6)) for body in bodies) <= 40_000
