"""Every text on pages is said through the words, and every catalogue has it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from alerts.words.catalogues import PAGES, flaws, sentences
from alerts.words.language import SOURCE, is_right_to_left
from dashboards.pages.names import KIND_NAMES, QUANTITY_NAMES, STATE_NAMES
from dashboards.pages.render import TEMPLATES_FOLDER
from dashboards.pages.words import Words
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES

TRANSLATED = [language for language in PAGES.catalogues.languages if language != SOURCE]
TEMPLATES = sorted(TEMPLATES_FOLDER.glob("*.html"))
SAID = re.compile(r"{#.*?#}|{%-?\s*trans\b.*?endtrans\s*-?%}|{{.*?}}|{%.*?%}", re.DOTALL)
ATTRIBUTE = re.compile(r'[a-z-]+="[^"]*"|^ selected$|\d\dT\d\d', re.MULTILINE)
READ_ALOUD = {"aria-label", "placeholder", "title", "alt", "label"}


class Unsaid(HTMLParser):
    """Collects texts that stand in a template as they are."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._kept_as_is: list[str] = []
        self.feed(SAID.sub("", template))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what is read aloud; remember where names stand that have no translation."""
        self.found += [value for name, value in attrs if name in READ_ALOUD and value]
        if self._kept_as_is or tag == "code" or ("translate", "no") in attrs:
            self._kept_as_is.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Forget the place."""
        if self._kept_as_is and self._kept_as_is[-1] == tag:
            self._kept_as_is.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if not self._kept_as_is:
            self.found.append(data)

    def words(self) -> list[str]:
        """Return the words: no attributes that a block or a macro gives a tag, no moments, no name of the product."""
        texts = (ATTRIBUTE.sub("", text) for text in self.found)
        return [word for text in texts for word in re.findall(r"[^\W\d_]+", text) if word != "Vitals"]


def words_in(language: str) -> Words:
    """Return the words of a language as pages get them."""
    found = PAGES.catalogues.translations(language)
    return Words(language, is_right_to_left(language), found.gettext, found.ngettext)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
def test_a_template_says_nothing_by_itself(template: Path) -> None:
    """Whatever a person reads or hears stands in a translation, or is somebody's word."""
    assert Unsaid(template.read_text(encoding="utf-8")).words() == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
def test_a_template_translates_literal_sentences_only(template: Path) -> None:
    """What gettext gives is written as it is: a text of somebody's must not get there. ``words(...)`` is escaped."""
    source = template.read_text(encoding="utf-8")
    assert re.findall(r"\b(?:_|gettext|ngettext)\(\s*[^\"'\s]", source) == []
    assert "words.many(" not in source, "the catalogues are not told of it; say {% trans count=... %}"


def test_what_is_not_said_is_found() -> None:
    """The collector itself: text and attributes are found, translations and names are not."""
    found = Unsaid('<p title="Oh">{{ _("a") }} plain {% trans x=y(1) %}b{% endtrans %} <i translate="no">c</i></p>')
    assert found.words() == ["Oh", "plain"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_of_the_pages_is_whole(language: str) -> None:
    """`python -m alerts.words.catalogues` brings it up to date; what it then lists is to be translated."""
    assert list(flaws(PAGES.catalogues.read(language), sentences(PAGES))) == []


def test_everything_that_is_measured_has_a_name() -> None:
    """A new quantity or kind of equipment costs a name; a state has as many as it has values."""
    assert KIND_NAMES.keys() == set(EquipmentKind)
    assert QUANTITY_NAMES.keys() == QUANTITIES.keys()
    states = {name: quantity.states for name, quantity in QUANTITIES.items() if quantity.states}
    assert states == STATE_NAMES
