"""People on pages, over a real registry: on call, standing in, adding and changing somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from api.create import create_api
from app.database import open_database
from app.registry_desk import registry_desk
from app.registry_view import RegistryView
from domain.access import Grant, Principal, Role
from domain.document import Document
from domain.places import Place
from registry.history import Occasion
from registry.store import RegistryStore
from tests.api.test_alert_page import OWN
from tests.api.test_api_pages import HTML, Reader
from tests.api.world import World

DOCUMENT = {
    "facilities": [
        {"id": id_, "name": name, "country": "Uganda", "region": "Western", "district": district,
         "timezone": "Africa/Kampala"}
        for id_, name, district in (("kasese", "Kasese HC3", "Kasese"), ("bundi", "Bundibugyo", "Bundibugyo"))
    ],
    "contacts": [
        {"id": "amina", "name": "Amina K.", "phone": "+256700000001", "district": "Kasese"},
        {"id": "joseph", "name": "Joseph O.", "phone": "+256700000002", "district": "Kasese"},
        {"id": "dan", "name": "Dan M.", "email": "dan@example.org"},
    ],
    "rosters": [
        {"id": "kasese-duty", "name": "Duty in Kasese", "timezone": "Africa/Kampala",
         "rotations": [{"members": ["amina", "joseph"], "first_day": "2026-11-02T08:00", "turn_days": 7}]},
        {"id": "country-duty", "name": "Duty in Uganda", "timezone": "Africa/Kampala",
         "rotations": [{"members": ["dan"], "first_day": "2026-11-02T08:00", "turn_days": 7}]},
    ],
}  # fmt: skip
STAND_IN = {"contact": "joseph", "start": "2026-11-20T18:00", "end": "2026-11-21T08:00", "reason": "Amina is away"}


class Site:
    """A registry, and whoever looks at it."""

    def __init__(
        self, store: RegistryStore, view: RegistryView, client: httpx.AsyncClient, signed_in: list[Principal]
    ) -> None:
        self.store, self.view, self.client, self._signed_in = store, view, client, signed_in

    def sign_in(self, name: str, grant: Grant) -> None:
        """Let somebody else look."""
        self._signed_in[0] = Principal(f"user:{name}", name, frozenset({grant}))

    async def show(self, path: str, status: int = 200) -> Reader:
        """Return a page as a browser sees it."""
        answer = await self.client.get(path, headers=HTML)
        assert answer.status_code == status
        return Reader(answer.text)

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return await self.client.post(path, data=fields, headers=OWN | HTML)

    async def form(self, path: str) -> dict[str, str]:
        """Return the fields of the form of a page, as they are filled."""
        page = await self.show(path)
        names = [name for name, _ in page.tags]
        begin = next(at for at, (_, tag) in enumerate(page.tags) if str(tag.get("action", "")).startswith("/people"))
        end = names.index("form", begin + 1)
        inputs = [tag for name, tag in page.tags[begin:end] if name == "input"]
        return {str(tag["name"]): str(tag.get("value") or "") for tag in inputs}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a site in Uganda at noon of 20 November 2026, UTC."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(f"sqlite+aiosqlite:///{tmp_path / 'vitals.db'}"))
        store = RegistryStore(database)
        await store.create_tables()
        await store.import_document(Document("people.yaml", DOCUMENT), occasion=Occasion(1))
        view = RegistryView(store)
        await view.refresh()
        services = World().services(directory=lambda: view.directory, registry=registry_desk(database, view))

        signed_in = [Principal("user:m", "Mary", frozenset({Grant(Role.MANAGER)}))]

        async def recognise(_: object) -> Principal:
            return signed_in[0]

        transport = httpx.ASGITransport(create_api(services, recognise=recognise), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        yield Site(store, view, await stack.enter_async_context(client), signed_in)


async def test_the_list_says_who_is_on_call_and_who_is_told(site: Site) -> None:
    """In the third week Amina has her second turn; a place for which nobody answers would be named."""
    page = await site.show("/people")
    assert "For every facility somebody answers" in page.text
    assert "Now: Amina K." in " ".join(page.text.split())
    assert "Then: Joseph O." in " ".join(page.text.split())
    assert "+256700000002" in page.text


async def test_a_place_for_which_nobody_answers_is_named(site: Site) -> None:
    """Whose facilities are told to nobody is seen before the first alarm."""
    dan = {"id": "dan", "name": "Dan M.", "district": "Kasese"}
    await site.store.import_document(Document("less.yaml", {"contacts": [dan]}), occasion=Occasion(2))
    await site.view.look()
    page = await site.show("/people")
    assert "In 1 place nobody is told" in page.text
    assert "Bundibugyo" in page.text


async def test_somebody_stands_in_for_a_night(site: Site) -> None:
    """From six in the evening by the roster's clock; after it the rotation goes on."""
    answer = await site.send("/people/rosters/kasese-duty", **STAND_IN)
    assert answer.status_code == 303
    (override,) = site.view.directory.rosters["kasese-duty"].overrides
    assert override.start.isoformat() == "2026-11-20T15:00:00+00:00"
    page = " ".join((await site.show("/people/rosters/kasese-duty")).text.split())
    assert "stands in: Amina is away" in page
    assert page.index("Amina K.") < page.index("stands in") < page.rindex("Amina K.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"end": "2026-11-20T17:00"}, "not after the beginning"),
        ({"start": "soon"}, "is no date and time"),
        ({"contact": "nobody"}, "nobody"),
    ],
)
async def test_a_stand_in_that_cannot_be_comes_back(site: Site, fields: dict[str, str], sentence: str) -> None:
    """The roster stays, and the form says why."""
    answer = await site.send("/people/rosters/kasese-duty", **(STAND_IN | fields))
    assert answer.status_code == 422
    assert sentence in Reader(answer.text).text
    assert not site.view.directory.rosters["kasese-duty"].overrides


async def test_somebody_is_added_and_is_told_from_then_on(site: Site) -> None:
    """Every field of the form arrives in the registry, with who wrote it in the log."""
    grace = {
        "id": "grace", "name": "Grace N.", "phone": "+256700000003", "language": "sw", "district": "Kasese",
        "channels": "sms voice", "quiet.from": "21:00", "quiet.to": "06:00", "quiet.timezone": "Africa/Kampala",
        "address.telegram": "1234",
    }  # fmt: skip
    assert (await site.send("/people/contacts/new", **grace)).status_code == 303
    found = site.view.directory.contacts["grace"]
    assert (found.name, found.language, found.channels) == ("Grace N.", "sw", ("sms", "voice"))
    assert dict(found.addresses) == {"telegram": "1234"}
    assert found.quiet is not None
    assert site.view.directory.contacts_for(site.view.directory.facilities["kasese"])[-1] == found


async def test_a_form_that_is_sent_as_it_came_changes_nothing(site: Site) -> None:
    """What the form shows is what is registered."""
    before = site.view.directory.contacts["amina"]
    fields = await site.form("/people/contacts/amina")
    answer = await site.send("/people/contacts/amina", **fields, district="Kasese", language="en")
    assert answer.status_code == 303
    assert site.view.directory.contacts["amina"] == before


async def test_a_wrong_number_is_told_beside_what_was_written(site: Site) -> None:
    """Nothing is saved, and nothing of what was written is lost."""
    fields = await site.form("/people/contacts/amina") | {"phone": "0700 1", "name": "Amina <K>"}
    answer = await site.send("/people/contacts/amina", **fields)
    assert answer.status_code == 422
    assert "the international form, such as +256700000001" in Reader(answer.text).text
    assert 'value="Amina &lt;K&gt;"' in answer.text
    assert site.view.directory.contacts["amina"].phone == "+256700000001"


async def test_of_two_who_change_the_same_person_the_second_sees_what_the_first_wrote(site: Site) -> None:
    """Saving again is then a choice."""
    mine = await site.form("/people/contacts/amina") | {"district": "Kasese", "name": "Amina Mine"}
    theirs = mine | {"phone": "+256700000009", "name": "Amina Theirs"}
    assert (await site.send("/people/contacts/amina", **theirs)).status_code == 303
    answer = await site.send("/people/contacts/amina", **mine)
    assert answer.status_code == 409
    page = Reader(answer.text)
    assert "Somebody changed this while you were writing" in page.text
    assert "+256700000009" in page.text
    assert "Amina Theirs" in page.text
    mark = next(str(tag["value"]) for name, tag in page.tags if name == "input" and tag.get("name") == "seen")
    assert (await site.send("/people/contacts/amina", **(mine | {"seen": mark}))).status_code == 303
    assert site.view.directory.contacts["amina"].name == "Amina Mine"


async def test_a_manager_of_a_district_changes_its_people_only(site: Site) -> None:
    """Who answers for the whole country is not in a district's hands, nor is a roster with such people."""
    site.sign_in("Kato", Grant(Role.MANAGER, Place(district="Kasese")))
    amina = await site.form("/people/contacts/amina") | {"district": "Kasese", "name": "Amina B."}
    assert (await site.send("/people/contacts/amina", **amina)).status_code == 303
    wider = await site.form("/people/contacts/amina") | {"district": ""}
    answer = await site.send("/people/contacts/amina", **wider)
    assert answer.status_code == 403
    assert "answers for more than the places" in Reader(answer.text).text
    dan = await site.form("/people/contacts/dan") | {"name": "Nobody"}
    assert (await site.send("/people/contacts/dan", **dan)).status_code == 403
    assert (await site.send("/people/rosters/kasese-duty", **STAND_IN)).status_code == 303
    answer = await site.send("/people/rosters/country-duty", **(STAND_IN | {"contact": "amina"}))
    assert answer.status_code in (403, 404)
    assert site.view.directory.contacts["dan"].name == "Dan M."


async def test_only_managers_see_people(site: Site) -> None:
    """Telephone numbers are not for everybody who may look."""
    site.sign_in("Vera", Grant(Role.VIEWER))
    for path in ("/people", "/people/contacts/amina", "/people/rosters/kasese-duty"):
        await site.show(path, 403)
