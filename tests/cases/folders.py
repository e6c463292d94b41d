"""Where the cases stand."""

from __future__ import annotations

from pathlib import Path

from app.stories.story import story_folders

CASES = Path(__file__).parent


def case_folders() -> list[Path]:
    """Return the folder of every case."""
    return story_folders(CASES)
