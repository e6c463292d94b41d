"""The pages: weights, headers, forms, and that no name can do harm."""

from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from api.create import create_api
from dashboards.pages.alerts import MOST_CARDS
from dashboards.pages.overview_query import PAGE
from domain.episode import Severity
from tests.api.world import World, with_hostile_names

HOSTILE = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "blns.json"
PAGES = (
    "/",
    "/facilities/kasese-hc3",
    "/facilities/kasese-hc3?range=30d",
    "/alerts",
    "/alerts/4821",
    "/map",
    "/places",
    "/places/route",
    "/nothing",
)
FIRST_VIEW_BYTES, WITH_CHART_BYTES = 40_000, 70_000
HTML = {"accept": "text/html"}


class Reader(HTMLParser):
    """What a browser would see: tags with attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data

    def links(self) -> list[str]:
        """Return every address the page names."""
        names = ("href", "src", "action", "data-charts", "data-plotter", "poster", "srcset")
        return [value for _, attrs in self.tags for name in names if (value := attrs.get(name))]


async def _weight(client: httpx.AsyncClient, path: str) -> int:
    """Return the bytes of a first view: the page, what it loads, and its charts' data, compressed."""
    page = await client.get(path, headers=HTML)
    addresses = [each for each in Reader(page.text).links() if each.startswith(("/static/", "/charts/"))]
    bodies = [page.content] + [(await client.get(each)).content for each in dict.fromkeys(addresses)]
    return sum(len(gzip.compress(body, 6)) for body in bodies)


@pytest.mark.parametrize("path", ["/", "/map", "/alerts", "/alerts/4821", "/nothing"])
async def test_a_first_view_without_chart_is_light(path: str) -> None:
    """At most 40 KB, with many facilities, style and script."""
    transport = httpx.ASGITransport(create_api(World(copies=200 if path in ("/", "/map") else 12).services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert await _weight(client, path) <= FIRST_VIEW_BYTES


@pytest.mark.parametrize("range_key", ["24h", "7d", "30d", "year"])
async def test_a_first_view_with_charts_is_light(range_key: str) -> None:
    """At most 70 KB, with uPlot and the data of every chart."""
    transport = httpx.ASGITransport(create_api(World(days=30).services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert await _weight(client, f"/facilities/kasese-hc3?range={range_key}") <= WITH_CHART_BYTES


@pytest.mark.parametrize("path", PAGES)
async def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(client: httpx.AsyncClient, path: str) -> None:
    """Every address is ours, or one on a map; no inline script, style or handler, as the content policy demands."""
    answer = await client.get(path, headers=HTML)
    page = Reader(answer.text)
    assert all(each.startswith(("/", "#", "geo:")) and not each.startswith("//") for each in page.links())
    for tag, attributes in page.tags:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_have_language_landmarks_and_a_way_past_the_head(client: httpx.AsyncClient, path: str) -> None:
    """One main, one first heading, a skip link, a language; every input has a label."""
    page = Reader((await client.get(path, headers=HTML)).text)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("main") == tags.count("h1") == 1
    assert {"header", "nav", "footer", "title"} <= set(tags)
    assert ("html", {"lang": "en", "dir": "ltr"}) in page.tags
    assert "#main" in page.links()
    labelled = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    inputs = [attributes for tag, attributes in page.tags if tag in ("input", "textarea")]
    assert all(each.get("type") == "hidden" or each["id"] in labelled for each in inputs)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


async def test_the_overview_says_what_is_wrong_in_words(client: httpx.AsyncClient) -> None:
    """Status stands as text, not as colour alone."""
    text = " ".join(Reader((await client.get("/")).text).text.split())
    assert "1 of 3 facilities needs help" in text
    assert re.search(r"Cold chain\s*Needs help", text)
    assert re.search(r"Power\s*Attention", text)
    assert "Heard 4 h 59 min ago" in text


async def test_a_facility_shows_values_charts_and_tables(client: httpx.AsyncClient) -> None:
    """Values with units, time within limits, a drawing and a table for each channel, the time of the place."""
    page = Reader((await client.get("/facilities/kasese-hc3")).text)
    assert "10.3 °C. Within its limits 92.8 %, above 7.2 % of the time known; known 95.8 % of the time." in page.text
    assert "11.0 °C" in page.text
    assert "above 8.0 °C" in page.text
    assert "Fri 20 Nov 15:00" in page.text
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figure") == tags.count("table") == 6


async def test_a_flood_of_alerts_shows_the_worst_and_counts_the_rest(world: World) -> None:
    """The sentence counts all; the page stays one that a phone can load."""
    for number in range(MOST_CARDS):
        world.raise_alert("heat", Severity.WARNING, "kilembe-hc2", "kilembe-hc2-gw", timedelta(minutes=number))
    transport = httpx.ASGITransport(create_api(world.services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = (await client.get("/alerts")).text
    assert f"{MOST_CARDS + 2} alerts wait for an answer" in page
    assert "2 further alerts, less severe or younger" in page
    assert "ref 4821" in page


async def test_the_overview_is_searched_narrowed_and_continued(world: World) -> None:
    """Each address says what it shows, keeps it in its links, and finds nothing politely."""
    for number in range(PAGE):
        world.add_facility(f"post-{number}", f"Pósto {number}", district="Moroto")
    transport = httpx.ASGITransport(create_api(world.services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        first, second = [Reader((await client.get(path)).text) for path in ("/", "/?page=2")]
        assert "/?page=2" in first.links()
        assert "/" in second.links()
        names = [unquote(each) for page in (first, second) for each in page.links() if each.startswith("/facilities/")]
        assert sorted(names) == sorted(f"/facilities/{each.id}" for each in world.facilities)
        found = Reader((await client.get("/?q=POSTO+7&district=Moroto&part=live")).text)
        expected = {f"/facilities/post-{number}" for number in range(PAGE) if "7" in str(number)}
        assert {each for each in found.links() if each.startswith("/facilities/")} == expected
        nothing = await client.get("/?q=atlantis")
        assert nothing.status_code == 200
        assert "No facility was found" in nothing.text


async def test_each_row_says_its_last_day_in_words(client: httpx.AsyncClient) -> None:
    """The bar is a picture with a text."""
    page = Reader((await client.get("/")).text)
    said = [
        attributes["aria-label"] for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "day"
    ]
    assert len(said) == 3
    assert "Last 24 hours: 4 h critical, 3 h with something wrong, 16 h well, 1 h unknown." in said


async def test_a_fragment_has_the_changing_parts_only(client: httpx.AsyncClient) -> None:
    """What the script replaces is in the page under the same id; charts are not sent again."""
    whole = Reader((await client.get("/facilities/kasese-hc3")).text)
    part = Reader((await client.get("/facilities/kasese-hc3", params={"part": "live"})).text)
    live = [attributes["id"] for _, attributes in part.tags if "data-live" in attributes]
    assert live == [attributes["id"] for _, attributes in whole.tags if "data-live" in attributes]
    assert not {"figure", "table", "nav"} & {tag for tag, _ in part.tags}


async def test_taking_an_alert_leads_back_and_remembers_the_name(client: httpx.AsyncClient, world: World) -> None:
    """A plain form: the answer is a redirect, the name stands in the next form."""
    headers = {"sec-fetch-site": "same-origin"}
    form = {"by": "Grâce Ø", "next": "/alerts"}
    answer = await client.post("/alerts/4821/acknowledge", data=form, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert world.alert_by_id[4821].acknowledged_by == "Grâce Ø"
    page = Reader((await client.get("/alerts")).text)
    assert "Grâce Ø is on it" in " ".join(page.text.split())
    assert {"Grâce Ø"} == {attributes["value"] for _, attributes in page.tags if attributes.get("name") == "by"}


async def test_a_form_without_a_name_is_an_error_page(client: httpx.AsyncClient, world: World) -> None:
    """It says what to write."""
    headers = {"sec-fetch-site": "same-origin", **HTML}
    answer = await client.post("/alerts/4821/acknowledge", data={"by": " "}, headers=headers)
    assert answer.status_code == 422
    assert "Write your name" in answer.text
    assert world.notes == []


async def test_an_unchanged_page_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """The tag comes back as 304 without a body."""
    first = await client.get("/")
    again = await client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/alerts", headers={"if-none-match": first.headers["etag"]})).status_code == 200


async def test_static_files_are_kept_for_ever_under_their_version(client: httpx.AsyncClient) -> None:
    """Under another version they must be asked for again; nothing outside the folder is served."""
    page = Reader((await client.get("/")).text)
    address = next(each for each in page.links() if each.startswith("/static/vitals.css"))
    assert "immutable" in (await client.get(address)).headers["cache-control"]
    assert "immutable" not in (await client.get("/static/vitals.css?v=old")).headers["cache-control"]
    for path in ("/static/../render.py", "/static/%2e%2e/render.py", "/static//etc/passwd", "/static/"):
        assert (await client.get(path)).status_code == 404


async def test_live_answers_are_not_stored(client: httpx.AsyncClient) -> None:
    """The API's figures are of now."""
    assert (await client.get("/api/v1/facilities")).headers["cache-control"] == "no-store"


async def test_the_notice_heads_every_page(world: World) -> None:
    """What the demo wants said is said everywhere, escaped."""
    transport = httpx.ASGITransport(create_api(world.services(notice=lambda _: "Demo: time runs <120×> faster")))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in PAGES:
            assert "time runs &lt;120×&gt; faster" in (await client.get(path, headers=HTML)).text


@pytest.mark.skipif(not HOSTILE.exists(), reason="the shared hostile strings are not on this machine")
async def test_naughty_names_are_text_and_nothing_else() -> None:
    """As names of facilities, equipment, rules and people they change no tag and break no page."""
    names = json.loads(HOSTILE.read_text(encoding="utf-8"))
    plain = World(days=0)
    hostile = with_hostile_names(World(days=0), names)
    harmless = with_hostile_names(World(days=0), [f"name {number}" for number in range(len(names))])
    shapes = []
    for world in (hostile, harmless):
        transport = httpx.ASGITransport(create_api(world.services()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            paths = ["/", "/alerts", "/map", *(f"/facilities/hostile-{number}" for number in range(len(names)))]
            paths += [f"/alerts/{alert}" for alert in world.alert_by_id if alert not in plain.alert_by_id]
            answers = [await client.get(path, headers=HTML) for path in paths]
            assert {answer.status_code for answer in answers} == {200}
            shapes.append([_shape(answer.text) for answer in answers[3:]])
            assert (await client.get("/api/v1/facilities", params={"limit": 5000})).status_code == 200
            assert (await client.get("/api/v1/alerts", params={"limit": 2000})).status_code == 200
    assert _without_place(shapes[0]) == _without_place(shapes[1])


def _shape(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the page's tags with the names of their attributes: what a name must not change."""
    return [(tag, tuple(attributes)) for tag, attributes in Reader(page).tags]


def _without_place(shapes: list[list[tuple[str, tuple[str, ...]]]]) -> list[list[tuple[str, tuple[str, ...]]]]:
    """An empty name leaves its line out, which is no harm."""
    return [shape for number, shape in enumerate(shapes) if number % (len(shapes) // 2) != 0]


async def test_ids_are_quoted_in_addresses(world: World) -> None:
    """A link leads to the facility whatever its id holds."""
    id_ = 'hc "<?#&/é 100%'
    world.add_facility(id_, "Odd")
    transport = httpx.ASGITransport(create_api(world.services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        links = Reader((await client.get("/")).text).links()
        link = next(each for each in links if unquote(each) == f"/facilities/{id_}")
        assert "Odd" in (await client.get(link)).text
