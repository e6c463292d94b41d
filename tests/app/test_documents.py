"""Documents: data with the place of every value, and one clear sentence for whatever cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents import parse_csv, parse_document, read_document, read_documents, render_document
from domain.errors import DocumentError, OperatorError, Problem

HOSTILE = Path(__file__).parents[2] / "../shared/data/hostile/blns.json"

PLAIN_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    # A lone surrogate has no UTF-8 form: no file can hold it.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc:#- ", min_size=1), inner, max_size=4),
    max_leaves=15,
)


def problems_of(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with the text."""
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "rules.yaml")
    return caught.value.problems


def test_every_value_has_its_place() -> None:
    """A mapping's value is found at its key, a list's item at itself, both counted from 1."""
    document = parse_document("rules:\n  - id: hot\n    above: 8\n", "rules.yaml")
    assert document.data == {"rules": [{"id": "hot", "above": 8}]}
    assert document.positions["rules",] == (1, 1)
    assert document.positions["rules", 0] == (2, 5)
    assert document.positions["rules", 0, "above"] == (3, 5)


@pytest.mark.parametrize(
    "word",
    ["on", "off", "yes", "no", "y", "10:30", "2026-01-01", "0700", "+256700000001", "0x1f", "1_000", ".5", ".nan"],
)
def test_words_that_yaml_1_1_would_change_stay_text(word: str) -> None:
    """Words, times, dates, codes and telephone numbers keep every character."""
    assert parse_document(f"value: {word}", "f").data == {"value": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("False", False), ("12", 12), ("-0.5", -0.5), ("1e3", 1000.0), ("null", None), ("~", None)],
)
def test_core_words_have_their_meaning(word: str, value: object) -> None:
    """Booleans, decimal numbers and null are what JSON means by them."""
    assert parse_document(f"value: {word}", "f").data == {"value": value}
    assert parse_document(f"value: '{word}'", "f").data == {"value": word}


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, "first in line 1"),
        ("a:\n\t- b", 2, 1, "a tab"),
        ("", 1, 1, "an empty file"),
        ("# nothing\n", 1, 1, "an empty file"),
        ("a: &x 1", 1, 4, "&x"),
        ("a:\n  b: *x", 2, 6, "*x"),
        ("a: !!python/name:os.system x", 1, 4, "tag"),
        ("a: 1\n--- \nb: 1", 2, 1, "second document"),
        ("a: b: c", 1, 5, "mapping values"),
        ("é: \x07", 1, 4, "U+0007"),
        ("{[a]: b}", 1, 2, "as a key"),
        ("n: 12345678901234567890", 1, 4, "20 digits"),
        ("n: 1e999", 1, 4, "too large"),
        ("[" * 900, 1, 42, "too many levels"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, line: int, column: int, found: str) -> None:
    """Every refusal says file, line, column, what was found and what is allowed."""
    (problem,) = problems_of(text)
    assert (problem.source, problem.line, problem.column) == ("rules.yaml", line, column)
    assert found in problem.found
    assert problem.allowed


def test_a_text_of_brackets_alone_is_refused_by_its_depth() -> None:
    """However deep it goes, and whichever of two parsers notices first."""
    (problem,) = problems_of("[" * 50_000)
    assert (problem.found, problem.allowed) == ("too many levels", "at most 40 levels")


def test_all_problems_are_listed_at_once() -> None:
    """A person mends a document in one round."""
    assert [problem.line for problem in problems_of("a: 1\na: 2\nb: *x\nc: !t 3")] == [2, 3, 4]


def test_an_alias_bomb_is_refused_unread() -> None:
    """Nested aliases that would unfold to billions of values cost nothing."""
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30))
    assert all("&" in problem.found or "*" in problem.found for problem in problems_of(f"l0: &l0 x\n{levels}"))


@given(PLAIN_DATA)
def test_rendered_data_read_back_the_same(data: Any) -> None:
    """Whatever plain data are written, the reader returns them."""
    assert parse_document(render_document({"data": data}), "f").data == {"data": data}


@given(st.text())
def test_any_text_is_data_or_a_document_error(text: str) -> None:
    """No text makes the reader fail in another way."""
    problems: tuple[Problem, ...] = ()
    try:
        parse_document(text, "f")
    except DocumentError as error:
        problems = error.problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


@pytest.mark.skipif(not HOSTILE.exists(), reason="the folder of recorded data is not beside the project")
def test_hostile_strings_survive_a_round_trip() -> None:
    """Naughty strings are text like any other."""
    strings = json.loads(HOSTILE.read_text(encoding="utf-8"))
    assert parse_document(render_document(strings), "f").data == strings


def test_a_file_that_is_not_utf8_is_refused_at_its_first_bad_byte(tmp_path: Path) -> None:
    """A Latin-1 file is named with the place of the byte."""
    path = tmp_path / "site.yaml"
    path.write_bytes("name: ok\nplace: Bundibugyé".encode("latin-1"))
    with pytest.raises(DocumentError, match=r"site.yaml:2:17: .* 0xe9.*UTF-8"):
        read_document(path)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """Files saved by Windows editors read like others."""
    path = tmp_path / "site.yaml"
    path.write_text("name: x", encoding="utf-8-sig")
    assert read_document(path).data == {"name": "x"}


def test_missing_and_unreadable_files_are_the_operators(tmp_path: Path) -> None:
    """A missing file, a folder in the place of a file and an empty folder each give one sentence."""
    with pytest.raises(OperatorError, match="no such file"):
        read_document(tmp_path / "nowhere.yaml")
    with pytest.raises(OperatorError, match="cannot be read"):
        read_document(tmp_path)
    with pytest.raises(OperatorError, match="holds no"):
        read_documents(tmp_path)


def test_a_folder_is_read_in_order_of_name(tmp_path: Path) -> None:
    """Tables and YAML documents of one folder come together; other files are left alone."""
    (tmp_path / "b.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("id: 1\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    assert [document.data for document in read_documents(tmp_path)] == [{"id": 1}, [{"id": "1"}]]


def test_table_cells_are_found_by_line_and_column() -> None:
    """Rows become dictionaries; cells over several lines and blank lines do not shift the count."""
    document = parse_csv('id,name\n\n1,"two\nlines"\n2,\n', "facilities.csv")
    assert document.data == [{"id": "1", "name": "two\nlines"}, {"id": "2"}]
    assert document.positions[0, "name"] == (3, 2)
    assert document.positions[1, "id"] == (5, 1)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_may_use_the_separators_of_spreadsheets(separator: str) -> None:
    """Comma, semicolon and tab are recognised by the header."""
    assert parse_csv(f"id{separator}name\n1{separator}x", "f").data == [{"id": "1", "name": "x"}]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("", 1, 1), ("a,a\n", 1, 2), ("a,\n1,2\n", 1, 2), ("a,b\n1,2,3\n", 2, 3), ('a,b\n"x,2\n', 2, 1)],
)
def test_tables_that_do_not_fit_are_refused(text: str, line: int, column: int) -> None:
    """Empty files, doubtful headers, surplus cells and open quotes are named with their place."""
    with pytest.raises(DocumentError) as caught:
        parse_csv(text, "f.csv")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (line, column)
