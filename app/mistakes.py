"""What settings do not allow, in words for the person who wrote them; what is secret is never repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel

from domain.document import Path
from domain.suggest import allowed_words

_FIELDS: Final = "fields, each on its own line as NAME: VALUE"
_A_NUMBER, _A_WHOLE_NUMBER = "a number", "a whole number"
_A_DURATION: Final = "a duration such as 45s, 10min, 1h30min or 7d"
_ALLOWED: Final = {
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "dict_type": _FIELDS,
    "string_type": "text",
    "string_too_short": "some text",
    "path_type": "the path of a file or folder",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": _A_WHOLE_NUMBER,
    "int_parsing": _A_WHOLE_NUMBER,
    "int_from_float": _A_WHOLE_NUMBER,
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "finite_number": "a finite number",
    "time_delta_type": _A_DURATION,
    "time_delta_parsing": _A_DURATION,
    "datetime_type": "a time such as 2010-01-01T00:00:00Z",
    "datetime_parsing": "a time such as 2010-01-01T00:00:00Z",
    "datetime_from_date_parsing": "a time such as 2010-01-01T00:00:00Z",
    "tuple_type": "a list such as [one, another]",
    "list_type": "a list such as [one, another]",
}
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def in_words(error: Mapping[str, Any], written: Any, settings: type[BaseModel]) -> dict[str, Any]:
    """Return an entry of pydantic's ``ValidationError.errors()`` in words, for ``Document.refuse_all``.

    ``written`` is the document's data before secrets were put in their places.
    """
    kind, loc = str(error["type"]), tuple(error["loc"])
    if kind == "missing":
        return {**error}
    found = _found(error.get("input"), _written_at(written, loc))
    if kind == "extra_forbidden":
        return _entry(loc, f"the unknown field '{loc[-1]}'", _allowed_fields(settings, loc))
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return _entry(loc, found, allowed_words(str(error.get("input")), words))
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return _entry(loc, found, _ALLOWED.get(kind, message))


class _Words(str):
    """Text that is shown without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _entry(loc: Path, found: str, allowed: str) -> dict[str, Any]:
    return {"type": "told", "loc": loc, "input": _Words(found), "msg": allowed}


def _found(value: Any, written: Any) -> str:
    """Say what was found; of a secret only where it stands, of a mapping only its fields."""
    if isinstance(written, dict) and not isinstance(value, dict | BaseModel):
        return f"what {' '.join(f'{kind} {name}' for kind, name in written.items())} holds"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"the fields {', '.join(map(str, value))}" if value else "no fields"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    return _CREDENTIALS.sub("***@", f"'{value}'" if isinstance(value, str) else str(value))


def _written_at(written: Any, loc: Path) -> Any:
    for step in loc:
        inside = written[step] if isinstance(written, dict) and step in written else None
        if inside is None and isinstance(written, list) and isinstance(step, int) and step < len(written):
            inside = written[step]
        # A step that is not in the document is pydantic's name for one of several shapes.
        written = written if inside is None else inside
    return written


def _allowed_fields(settings: type[BaseModel], loc: Path) -> str:
    model = settings
    for step in loc[:-1]:
        field = next((field for name, field in model.model_fields.items() if step == (field.alias or name)), None)
        if field is not None:
            model = _model_of(field.annotation) or model
    if model.__subclasses__():
        return "only the fields that its documentation lists"
    return allowed_words(str(loc[-1]), [field.alias or name for name, field in model.model_fields.items()])


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := _model_of(each)) is not None), None)
