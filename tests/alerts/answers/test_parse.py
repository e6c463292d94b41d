"""What people write, and what it means: tables of examples, laws, and hostile strings."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers.lexicon import LEXICON, Sense
from alerts.answers.parse import Answer, Meaning, parse
from alerts.answers.tokens import fold

HOSTILE = Path(__file__).parents[3] / "../shared/data/hostile/blns.json"
GO, HELP, DONE, UNCLEAR = Meaning.GOING, Meaning.HELP, Meaning.DONE, Meaning.UNCLEAR
SHORT = "ALARM Kasese HC3 fridge 2: 9.4C, above 8.0C for 35min. Reply 1=I go 2=need help. ref 4821"

PLAIN = {
    "1": GO, "(1)": GO, "1.": GO, " 1 ! ": GO, "1=I go": GO, "1ok": GO, "1 1": GO, "hello 1": GO, "1 ?": GO,
    "١": GO, "１": GO, "①": GO, "1️⃣": GO, "1 👍": GO, "१": GO,
    "ok": GO, "OK!": GO, "Yes please": GO, "oui": GO, "D'accord": GO, "sim": GO, "ndiyo asante": GO, "نعم": GO,
    "I go": GO, "I’m going": GO, "on my way": GO, "J'y vais": GO, "Je m'en occupe": GO, "a caminho": GO,
    "naenda": GO, "أنا قادم": GO, "في الطريق": GO,
    "2": HELP, "2 please": HELP, "٢": HELP, "2 need help": HELP, "need help": HELP, "Aide": HELP,
    "J’ai besoin d’aide": HELP, "ajuda": HELP, "msaada": HELP, "أحتاج مساعدة": HELP,
    "9": DONE, "9 ok": DONE, "ok done": DONE, "done": DONE, "Terminé": DONE, "C'est fait": DONE, "feito": DONE,
    "tayari": DONE, "تم": DONE, "٩": DONE,
    "status": Meaning.STATUS, "Statut?": Meaning.STATUS, "hali": Meaning.STATUS, "حالة": Meaning.STATUS,
    "help": Meaning.HOW, "?": Meaning.HOW, "????": Meaning.HOW, "؟": Meaning.HOW, "comment": Meaning.HOW,
    "STOP": Meaning.STOP, "arrêt": Meaning.STOP, "acha": Meaning.STOP,
}  # fmt: skip
NOT_GUESSED = (
    "", " ", "1 2", "2 1", "1 9", "1 need help", "½", "1.5", "9.4", "14:30", "1st", "9pm", "12", "4821", "2 hours left",
    "ok?", "no", "not done", "I go not", "I go but I cannot", "yes but not me", "done? not yet", "nimemaliza bado",
    "ok fridge is warm", "hello", "👍", "+256 772 123456", "0772123456", "alarm 1", "ref 1", "I am not going",
    "تم الاتصال به",
    "OK Kasese HC3 fridge 2: over after 2h. ref 4821", SHORT,
)  # fmt: skip
REFERENCES = {
    "1 4821": (GO, (4821,)),
    "1 ref 4821": (GO, (4821,)),
    "4821 1": (GO, (4821,)),
    "#4821 1": (GO, (4821,)),
    "1,4821": (GO, (4821,)),
    "1-4821": (GO, (4821,)),
    "REF4821 ok I go": (GO, (4821,)),
    "OK ref 4821": (GO, (4821,)),
    "1 4821 4822": (GO, (4821, 4822)),
    "1 4821, 4822 and 4821": (GO, (4821, 4822)),
    "1 ٤٨٢١": (GO, (4821,)),
    "1 réf 4821": (GO, (4821,)),
    "1 ref 2": (GO, (2,)),
    "ref 1 ref 9 1": (GO, (1, 9)),
    "1 alarm 2": (GO, (2,)),
    "help 4821": (HELP, (4821,)),
    "need help at 4821": (HELP, (4821,)),
    "I'm on my way, 4821": (GO, (4821,)),
    "9 replaced 2 fuses at 1430": (DONE, ()),
    "9 replaced 2 fuses ref 4821": (DONE, (4821,)),
    "9 12 doses": (DONE, ()),
    f"1 {SHORT}": (GO, (4821,)),
    f"1\n> {SHORT}": (GO, (4821,)),
    f"1 4822\n> {SHORT}": (GO, (4822,)),
    "1\n0772 123 456": (GO, ()),
    "1 999999999999": (GO, ()),
}
NOTES = {
    "9 4821 compressor replaced, 12 doses": ("compressor replaced, 12 doses", 12),
    "Done: fuse": ("fuse", None),
    "9 4821 no doses lost": ("no doses lost", 0),
    "9 4821 aucune dose perdue": ("aucune dose perdue", 0),
    "nimemaliza 4821 dozi 12": ("dozi 12", 12),
    "تم 4821 ١٢ جرعة": ("١٢ جرعة", 12),
    "9 300 doses moved to Bwera": ("300 doses moved to Bwera", None),
    "9 12 doses, or 14 doses": ("12 doses, or 14 doses", None),
    "9 fixed, 5-10 doses": ("5-10 doses", None),
    "1 sending Peter": ("sending Peter", None),
    f"1 soon. {SHORT}": ("soon", None),
    "9 Ersatzgerät läuft\n-- \nAmina, 0772 123 456": ("Ersatzgerät läuft", None),
}
ACTS = [text for text, meaning in PLAIN.items() if meaning.acts]
SIGNATURES = ("\n-- \nAmina\n1 2 9 4711", "\nSent from my iPhone 9", "\nEnvoyé de mon iPhone", "\n> 2", " 🙏", "\n")


@pytest.mark.parametrize(("text", "meaning"), PLAIN.items())
def test_what_people_write(text: str, meaning: Meaning) -> None:
    """Digits of any script and words of five languages mean what their writers mean."""
    assert parse(text) == Answer(meaning)


@pytest.mark.parametrize("text", NOT_GUESSED)
def test_what_is_ambiguous_is_not_guessed(text: str) -> None:
    """A text that may mean two things, or nothing, is unclear."""
    assert parse(text).meaning is UNCLEAR


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items())
def test_references(text: str, expected: tuple[Meaning, tuple[int, ...]]) -> None:
    """References are told from codes, values, times and telephone numbers."""
    answer = parse(text)
    assert (answer.meaning, answer.references) == expected


@pytest.mark.parametrize(("text", "expected"), NOTES.items())
def test_notes_and_doses(text: str, expected: tuple[str, int | None]) -> None:
    """What stands behind the code is kept; doses count only where the note plainly says that they are lost."""
    answer = parse(text)
    assert (answer.note, answer.doses) == expected


@given(st.text())
def test_any_text_means_something(text: str) -> None:
    """No string raises."""
    assert isinstance(parse(text).meaning, Meaning)


@given(st.text(alphabet="129 .,#?()0482١٩refokdones\n-+>", max_size=40))
def test_texts_near_to_answers_mean_something(text: str) -> None:
    """Nor does a string of what answers are made of, and references are numbers that can be one."""
    answer = parse(text)
    assert all(0 < reference < 10**9 for reference in answer.references)
    assert len(set(answer.references)) == len(answer.references)


@given(st.sampled_from([*PLAIN, *REFERENCES]), st.text(alphabet=" \t\n", max_size=3), st.sampled_from(SIGNATURES))
def test_case_space_and_signature_change_nothing(text: str, space: str, signature: str) -> None:
    """Shouting, spaces around and a signature below leave the meaning and the references as they are."""
    expected = parse(text)
    for written in (text.upper(), text.lower(), space + text + space, text.replace(" ", "   "), text + signature):
        answer = parse(written)
        assert (answer.meaning, answer.references) == (expected.meaning, expected.references), written


@given(st.sampled_from(ACTS), st.lists(st.integers(10, 10**9 - 1), min_size=1, max_size=5, unique=True))
def test_references_may_stand_behind_any_answer(text: str, references: list[int]) -> None:
    """Every way to answer takes any number of references, and keeps its meaning."""
    answer = parse(f"{text} {' '.join(map(str, references))}")
    assert (answer.meaning, answer.references) == (parse(text).meaning, tuple(references))


@given(st.text(max_size=80))
def test_no_letters_alone_close_or_take_anything_unless_they_are_words_for_it(text: str) -> None:
    """Without a digit 1, 2 or 9 and without a known word nothing is done."""
    known = any(sense is not Sense.FILLER and " ".join(words) in fold(text) for words, sense in LEXICON.items())
    if not known and not any(character.isnumeric() for character in text):
        assert not parse(text).meaning.acts


@pytest.mark.skipif(not HOSTILE.exists(), reason="the shared hostile strings are not on this machine")
def test_hostile_strings_do_nothing() -> None:
    """None of the strings that break programs acts, except those that begin with a plain 1, 2 or 9."""
    acting = {text for text in json.loads(HOSTILE.read_text()) if parse(text).meaning.acts}
    assert {
        text for text in acting if not re.match(r"\W*[129١](?![\w.,])", unicodedata.normalize("NFKC", text))
    } == set()
