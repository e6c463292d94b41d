"""From a document that a person wrote to typed settings, the same for the service and for a node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.mistakes import in_words
from app.secrets import resolve_secrets
from domain.document import Document

Settings = TypeVar("Settings", bound=BaseModel)


def settings_from(
    document: Document, settings: type[Settings], environment: Mapping[str, str], folder: Path
) -> Settings:
    """Return a document as typed settings, secrets resolved and paths made relative to ``folder``."""
    resolved = resolve_secrets(document, environment, folder)
    try:
        parsed = settings.model_validate(resolved.data if resolved.data is not None else {})
    except ValidationError as error:
        raise document.refuse_all(in_words(each, document.data, settings) for each in error.errors()) from None
    return _anchored(parsed, folder)


def _anchored(model: Settings, folder: Path) -> Settings:
    """Return the settings with every relative path below ``folder``."""
    changes = {name: _anchor(getattr(model, name), folder) for name in type(model).model_fields}
    return model.model_copy(update=changes)


def _anchor(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, BaseModel):
        return _anchored(value, folder)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_anchor(item, folder) for item in value)
    return value
