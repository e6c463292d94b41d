"""Keep the catalogues of translations up to date with the code: ``python -m alerts.words.catalogues``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from alerts.words.language import SOURCE, Catalogues

ROOT = Path(__file__).parents[2]
"""The folder of the rooms; those in which sentences are said stand in ``ROOMS``."""
ROOMS = ("alerts", "api", "app", "dashboards")
_FIELD = re.compile(r"{(\w+)}|%\((\w+)\)s")
_TAG = re.compile(r"</?\w+[^>]*>")


@dataclass(frozen=True)
class Body:
    """Sentences that are kept together."""

    folder: str
    """Where their catalogues are."""
    import_line: str
    """What a file of Python says that says such sentences."""
    in_python: dict[str, tuple[int, ...] | None]
    """By which functions they are said, and in which places."""
    templates: str = ""
    """The folder of templates that say such sentences; empty for none."""

    @property
    def catalogues(self) -> Catalogues:
        """Return them as they are committed."""
        return Catalogues(ROOT / self.folder)


MESSAGES: Final = Body(
    folder="alerts/words/locale",
    import_line="alerts.words.language import",
    in_python={"say": (2,), "say_many": (2, 3), "gettext_noop": None},
)
PAGES: Final = Body(
    folder="dashboards/pages/locale",
    import_line="",  # those who say them got the words passed in
    in_python={"words": None, "many": (1, 2), "noop": None},
    templates="dashboards/pages/templates",
)
_IN_TEMPLATES: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "words": None}
_TEMPLATE_OPTIONS: Final = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


def sentences(body: Body, root: Path = ROOT) -> Catalog:
    """Return every sentence that code and templates say, with the files that say it."""
    found = Catalog(fuzzy=False)
    for file in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        if body.import_line in file.read_text(encoding="utf-8"):
            _collect(file, root, "python", body.in_python, found)
    for file in sorted((root / body.templates).glob("*.html")) if body.templates else ():
        _collect(file, root, babel_extract, _IN_TEMPLATES, found)
    return found


def _collect(file: Path, root: Path, method: Any, keywords: dict[str, Any], found: Catalog) -> None:
    with file.open("rb") as opened:
        for line, message, _, _ in extract(method, opened, keywords=keywords, options=_TEMPLATE_OPTIONS):
            found.add(message, locations=[(file.relative_to(root).as_posix(), line)])


def flaws(catalogue: Catalog, said: Catalog) -> Iterator[str]:
    """Yield what is wrong with a catalogue: missing, gone, untranslated, or other fields than the sentence has."""
    wanted = {message.id: message for message in said if message.id}
    there = {message.id: message for message in catalogue if message.id}
    yield from (f"missing: {_shown(id_)}" for id_ in wanted if id_ not in there)
    yield from (f"no longer said: {_shown(id_)}" for id_ in there if id_ not in wanted)
    for message in there.values():
        if not all(_strings(message)) or message.fuzzy:
            yield f"not translated: {_shown(message.id)}"
        elif any(not _fields(text) <= _fields(*_ids(message)) for text in _strings(message)):
            yield f"names a field that the sentence lacks: {_shown(message.id)}"
        elif _required(message) - _fields(*_strings(message)):
            yield f"leaves out {', '.join(sorted(_required(message)))}: {_shown(message.id)}"
        elif any(not _marks(text) <= _marks(*_ids(message)) for text in _strings(message)):
            yield f"has tags or per cent signs that the sentence lacks: {_shown(message.id)}"


def update(catalogue: Catalog, said: Catalog, file: Path) -> None:
    """Write a catalogue with every sentence that is said, what was translated kept, and nothing else."""
    said.creation_date = catalogue.creation_date
    catalogue.update(said, no_fuzzy_matching=True)
    with file.open("wb") as opened:
        write_po(opened, catalogue, width=0, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


def run(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Update every catalogue, or with ``--check`` only look; return 1 where anything is left to do."""
    if arguments not in ([], ["--check"]):
        say("usage: python -m alerts.words.catalogues [--check]")
        return 2
    left = 0
    for body in (MESSAGES, PAGES):
        said = sentences(body)
        for language in body.catalogues.languages:
            if language == SOURCE:
                continue
            if not arguments:
                update(body.catalogues.read(language), said, ROOT / body.folder / f"{language}.po")
            for flaw in flaws(body.catalogues.read(language), said):
                say(f"{body.folder}/{language}: {flaw}")
                left += 1
    return 1 if left else 0


def _shown(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[-1]


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _fields(*texts: str) -> set[str]:
    return {name for text in texts for each in _FIELD.findall(text) for name in each if name}


def _marks(*texts: str) -> set[str]:
    """Return what means something to a page, in which translations stand as they are written."""
    return {mark for text in texts for mark in (*_TAG.findall(text), *re.findall("%+", _FIELD.sub("", text)))}


def _required(message: Message) -> set[str]:
    """Return the fields that no translation may leave out; a plural form may say its count in words."""
    return _fields(*_ids(message)) - ({"count"} if len(_ids(message)) > 1 else set())


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], print))
