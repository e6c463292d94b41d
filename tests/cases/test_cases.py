"""A folder is a case: a story told to the real service, and everything that must come of it (see README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.stories.play import run_case
from tests.cases.folders import CASES, case_folders


@pytest.mark.parametrize("folder", case_folders(), ids=lambda folder: str(folder.relative_to(CASES)))
async def test_case(folder: Path, tmp_path: Path) -> None:
    """Episodes, alerts, messages and refusals are exactly those that the case's folder expects."""
    found = await run_case(folder, tmp_path / "data")
    if found:
        pytest.fail(found, pytrace=False)
