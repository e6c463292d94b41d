"""What a case's files say, typed: the story, step by step, and what is expected of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from app.documents import read_document
from domain.document import Document
from domain.document import Path as Steps
from domain.instant import parse_duration, parse_rfc3339
from rules.notation import Point, parse_series

STORY, EXPECTED = "story.yaml", "expected.yaml"


def story_folders(path: Path) -> list[Path]:
    """Return the folders at or below a path that hold a story, in order of name."""
    return sorted(story.parent for story in path.rglob(STORY)) if path.is_dir() else []


def parse_offset(text: Any) -> timedelta:
    """Return a duration that may have a sign: ``10h``, ``-20min``, ``+2h``."""
    if isinstance(text, timedelta):
        return text
    said = str(text).strip()
    offset = parse_duration(said.lstrip("+-"))
    return -offset if said.startswith("-") else offset


Offset = Annotated[timedelta, BeforeValidator(parse_offset)]
"""Time from the start of the story."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Part(BaseModel):
    """Anything in a case's files: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Part):
    """Something that happens; without ``at`` it begins when the step before it ends."""

    at: Offset | None = None


class Readings(Step):
    """A node measures a channel at a steady pace."""

    readings: Annotated[tuple[Point | None, ...], BeforeValidator(parse_series)] = ()
    rows: tuple[tuple[Offset, Annotated[tuple[Point | None, ...], BeforeValidator(parse_series)]], ...] = ()
    """Instead of ``readings``: pairs of a time after ``at`` and a value."""
    of: str
    """The channel's id, or ``NODE NAME`` for one that is not registered."""
    every: Duration | None = None
    """By default the channel's interval."""
    unit: str | None = None
    delay: Duration = timedelta(0)
    """How long after its measurement each reading arrives."""
    arrives: Offset | None = None
    """When they arrive, all together, as a backlog."""
    order: Literal["measured", "reversed", "shuffled"] = "measured"
    times: int = Field(default=1, ge=1)
    """How often each message arrives."""
    batch: int | None = Field(default=None, ge=1)
    """Readings in a message; by default 1, or 20 in a backlog."""
    clock: Offset = timedelta(0)
    """How far the node's clock is ahead."""
    format: Literal["json", "cbor"] = "json"

    @model_validator(mode="after")
    def _one_of_two(self) -> Readings:
        if bool(self.readings) == bool(self.rows):
            raise ValueError("either 'readings' or 'rows'")
        return self


class Payload(Step):
    """Bytes that arrive as they are."""

    payload: str
    node: str
    lane: Literal["live", "backfill", "event"] = "live"


class NodeEpisode(Part):
    """An episode as a node's own rules found it; times from the start of the story."""

    rule: str
    of: str
    start: Offset
    confirmed: Offset
    end: Offset | None = None
    extreme: float | None = None


class Told(Step):
    """A node tells an episode that its own rules found; it knows of it up to the moment of telling, or ``seen``."""

    told: NodeEpisode
    seen: Offset | None = None


class Silent(Step):
    """A node has no network for a while; what it measured meanwhile arrives afterwards as a backlog."""

    silent: str
    lasts: Duration


class Restart(Step):
    """The service is stopped and opened again after this long; what arrives meanwhile waits for it."""

    restart: Duration


class Acknowledge(Step):
    """Somebody takes an alert, over HTTP."""

    acknowledge: int
    by: str


class Writes(Step):
    """Somebody writes an answer, as if it came over the channel that the story's messages go out by."""

    writes: str
    by: str
    """Id of the contact; ``+256...`` for a stranger's number."""


class Help(Step):
    """Somebody asks for help with an alert."""

    help: int
    by: str


class Shelve(Step):
    """Somebody puts an alert aside for a while."""

    shelve: int
    by: str
    lasts: Duration
    reason: str


class Unshelve(Step):
    """Somebody lets an alert that was put aside speak again."""

    unshelve: int
    by: str


class Close(Step):
    """Somebody closes an alert with what was found and done."""

    close: int
    by: str
    reason: str
    action: str = ""
    doses: int | None = None


class Maintenance(Step):
    """Somebody announces work, from now on or from ``starts`` (counted from the start of the story)."""

    maintenance: str
    """The reason."""
    by: str
    lasts: Duration
    starts: Offset | None = None
    facility: str = ""
    equipment: str = ""
    district: str = ""
    rule: str = ""


class Unreachable(Step):
    """Messages to somebody fail for a while."""

    unreachable: str
    lasts: Duration


class Wait(Step):
    """Time passes."""

    wait: Duration


_KINDS: dict[str, type[Step]] = {
    "readings": Readings,
    "rows": Readings,
    "payload": Payload,
    "told": Told,
    "silent": Silent,
    "restart": Restart,
    "acknowledge": Acknowledge,
    "writes": Writes,
    "help": Help,
    "shelve": Shelve,
    "unshelve": Unshelve,
    "close": Close,
    "maintenance": Maintenance,
    "unreachable": Unreachable,
    "wait": Wait,
}


class Story(Part):
    """A case's ``story.yaml``."""

    sentence: str
    start: Annotated[datetime, BeforeValidator(lambda text: parse_rfc3339(str(text)))]
    registry: Path = Path("../clinic.yaml")
    """A registry document, relative to the case's folder."""
    rules: tuple[Path, ...] = ()
    """Rule files, relative to the case's folder; none means the catalogue that comes with Vitals."""
    only: tuple[str, ...] = ()
    """Ids of the rules that judge; none means all of them."""
    settings: dict[str, Any] = {}
    """Settings of the service that matter here, as in its configuration file."""
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)


class ExpectedEpisode(Part):
    """An episode; times from the start of the story."""

    rule: str
    of: str
    start: Offset
    confirmed: Offset
    end: Offset | None = None
    """None: it goes on."""
    extreme: float | None = None


class ExpectedAlert(Part):
    """An alert as it stands at the end."""

    number: int
    rule: str
    of: str
    state: str
    past: bool = False
    by: str = ""


class ExpectedMessage(Part):
    """A message that a person gets."""

    at: Offset
    to: str
    says: str = Field(pattern="^[A-Z]+$")
    """The first word: ALARM, WORSE, OK, DIGEST ...; REPLY for an answer to what somebody wrote."""
    alert: int = 0
    """The reference at its end; 0 where there is none."""
    text: str = ""
    """A part of its wording; empty: any."""


class Many(Part):
    """How many messages one person gets in all; asserted instead of each where ``counts`` is given."""

    to: str
    messages: int


class ExpectedSilence(Part):
    """Why somebody was not told something."""

    alert: int
    why: str


class Expected(Part):
    """A case's ``expected.yaml``: everything that comes of the story; what is not listed must not happen."""

    episodes: tuple[ExpectedEpisode, ...] = ()
    alerts: tuple[ExpectedAlert, ...] = ()
    messages: tuple[ExpectedMessage, ...] = ()
    counts: tuple[Many, ...] | None = None
    """For stories of many: how many messages each person gets; then neither episodes, alerts nor messages are listed
    beyond those that ``messages`` names."""
    rejected: dict[str, int] = {}
    stored: int | None = None
    """How many readings are stored; not looked at where it is left out."""
    not_told: tuple[ExpectedSilence, ...] | None = None
    """Reasons for which nobody was told; not looked at where it is left out."""


Model = TypeVar("Model", bound=BaseModel)


def read_story(folder: Path) -> tuple[Story, list[Step]]:
    """Return a case's story and its steps; raise ``DocumentError`` with the line and column of every mistake."""
    document = read_document(folder / STORY)
    story = _validated(document, document.data, Story, ())
    return story, [_step(document, index, raw) for index, raw in enumerate(story.steps)]


def read_expected(folder: Path) -> Expected | None:
    """Return what a case expects; None where nobody has written it down yet."""
    path = folder / EXPECTED
    if not path.exists():
        return None
    document = read_document(path)
    return _validated(document, document.data, Expected, ())


def _step(document: Document, index: int, raw: dict[str, Any]) -> Step:
    here: Steps = ("steps", index)
    kind = next((kind for kind in _KINDS if kind in raw), None)
    if kind is None:
        raise document.refuse(here, ", ".join(raw), f"a step says one of {', '.join(_KINDS)}")
    return _validated(document, raw, _KINDS[kind], here)


def _validated(document: Document, data: Any, model: type[Model], path: Steps) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise document.refuse_all([dict(each) for each in error.errors()], path) from None
