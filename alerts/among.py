"""A condition of SQL that a column holds one of many texts: one variable, however many there are."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def among(column: ColumnElement[str], texts: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these texts.

    Databases take 32,000 variables in a statement, which a nation's facilities may exceed, and SQLAlchemy writes the
    statement anew for every number of them; a JSON document is always one.
    """
    return column.op("IN", is_comparison=True)(_Texts(json.dumps(sorted(texts))))


class _Texts(FunctionElement[str]):
    """The elements of a JSON array of texts, as rows."""

    inherit_cache = True


@compiles(_Texts, "sqlite")
def _in_sqlite(element: _Texts, compiler: Any, **options: Any) -> str:
    texts = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({texts}))"  # noqa: S608 - what stands there is a variable


@compiles(_Texts, "postgresql")
def _in_postgresql(element: _Texts, compiler: Any, **options: Any) -> str:
    return f"(SELECT json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS json)))"
