"""Libraries for hardware that a node may not have; they are imported when a driver needs them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from domain.errors import OperatorError


def hardware_library(module: str, *, extra: str) -> ModuleType:
    """Return the module; raise ``OperatorError`` with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise OperatorError(f"{module} is not installed; run: pip install 'vitals[{extra}]'") from error
