"""From view models to HTML; every text is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from types import CodeType
from urllib.parse import quote

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from dashboards.pages.assets import Asset
from dashboards.pages.failure import Failure
from dashboards.pages.navigation import NAVIGATION
from dashboards.pages.series import RANGES
from dashboards.pages.wording import SERVICE_WORDS
from dashboards.pages.words import ENGLISH, Saying, Words, nothing_to_say
from domain.access import EVERYBODY, Principal, Role

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
STATIC_PATH = "/static/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around a page: who reads it in which language."""

    words: Words = ENGLISH
    live: bool = False
    """Whether only those parts are written that an open page replaces."""
    waiting: int = 0
    """How many alerts wait for an answer."""
    person: str = ""
    """The name to sign with; empty where it has to be typed."""
    principal: Principal = EVERYBODY
    address: str = "/"
    """Where whoever chooses another language comes back to."""


class _Compiled(BytecodeCache):
    """Templates as they were compiled; what they say in which language is decided when they are written."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is known of this source."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


@cache
def _compiled() -> _Compiled:
    """Return the templates of this process: compiling one takes longer than writing it a hundred times."""
    return _Compiled()


class Pages:
    """Writes pages; built once."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        notice: Saying = nothing_to_say,
        languages: Sequence[tuple[str, str]] = (),
    ) -> None:
        """``languages``: codes and names of those that can be chosen."""
        self._assets, self._notice, self._languages = assets, notice, languages
        self._loader = FileSystemLoader(TEMPLATES_FOLDER, encoding="utf-8")
        self._by_words: dict[Words, Environment] = {}

    @property
    def language_codes(self) -> frozenset[str]:
        """Return the languages that can be chosen."""
        return frozenset(code for code, _ in self._languages)

    def asset_url(self, name: str) -> str:
        """Return the address of a static file, which changes with its content."""
        return f"{STATIC_PATH}{name}?v={self._assets[name].version}"

    def write(self, template: str, view: object, frame: Frame) -> str:
        """Return the page of a view: ``write("overview.html", overview(...), frame)``."""
        return (
            self._templates(frame.words)
            .get_template(template)
            .render(
                view=view,
                live=frame.live,
                waiting=frame.waiting,
                person=frame.person,
                principal=frame.principal,
                address=frame.address,
            )
        )

    def error(self, status: HTTPStatus, sentence: str, words: Words, principal: Principal) -> str:
        """Return the page that says what went wrong."""
        return self.write("error.html", Failure(status, sentence), Frame(words=words, principal=principal))

    def _templates(self, words: Words) -> Environment:
        """Return the templates of a language: macros that are imported know no other way of being translated."""
        found = self._by_words.get(words)
        if found is None:
            found = self._by_words[words] = self._environment(words)
        return found

    def _environment(self, words: Words) -> Environment:
        environment = Environment(
            loader=self._loader,
            bytecode_cache=_compiled(),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.policies["ext.i18n.trimmed"] = True
        # The extension adds this method when it is loaded.
        environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.filters["path"] = path_segment
        environment.globals.update(
            words=words,
            asset=self.asset_url,
            notice=self._notice,
            languages=self._languages,
            service_words=SERVICE_WORDS,
            ranges=tuple(RANGES.values()),
            navigation=NAVIGATION,
            Role=Role,
        )
        return environment


def path_segment(id_: object) -> str:
    """Return an id as it stands in an address; slashes stay."""
    return quote(str(id_), safe="/", errors="replace")
