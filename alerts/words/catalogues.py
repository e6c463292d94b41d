"""Keep the catalogues of translations up to date with the code: ``python -m alerts.words.catalogues``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from alerts.words.language import SOURCE, languages, read_catalogue

ROOT = Path(__file__).parents[2]
"""The folder of the rooms; those in which sentences are said stand in ``ROOMS``."""
ROOMS = ("alerts", "api", "app", "dashboards")
LOCALE = Path(__file__).parent / "locale"
_KEYWORDS = {"say": (2,), "say_many": (2, 3), "gettext_noop": None}
_SAYS = "alerts.words.language import"
_FIELD = re.compile(r"{(\w+)}")


def sentences(root: Path = ROOT) -> Catalog:
    """Return every sentence that the code says, with the files that say it."""
    found = Catalog(fuzzy=False)
    for file in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if _SAYS not in source:
            continue
        with file.open("rb") as opened:
            for line, message, _, _ in extract("python", opened, keywords=_KEYWORDS):
                found.add(message, locations=[(file.relative_to(root).as_posix(), line)])
    return found


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


def update(language: str, said: Catalog, folder: Path = LOCALE) -> None:
    """Write a catalogue with every sentence that is said, what was translated kept, and nothing else."""
    catalogue = read_catalogue(language)
    said.creation_date = catalogue.creation_date
    catalogue.update(said, no_fuzzy_matching=True)
    with (folder / f"{language}.po").open("wb") as file:
        write_po(file, catalogue, width=0, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


def run(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Update every catalogue, or with ``--check`` only look; return 1 where anything is left to do."""
    if arguments not in ([], ["--check"]):
        say("usage: python -m alerts.words.catalogues [--check]")
        return 2
    said, left = sentences(), 0
    for language in languages():
        if language == SOURCE:
            continue
        if not arguments:
            update(language, said)
        for flaw in flaws(read_catalogue(language), said):
            say(f"{language}: {flaw}")
            left += 1
    return 1 if left else 0


def _shown(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[-1]


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _fields(*texts: str) -> set[str]:
    return {name for text in texts for name in _FIELD.findall(text)}


def _required(message: Message) -> set[str]:
    """Return the fields that no translation may leave out; a plural form may say its count in words."""
    return _fields(*_ids(message)) - ({"count"} if len(_ids(message)) > 1 else set())


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], print))
