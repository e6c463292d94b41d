"""State files: written whole or not at all; what is damaged is set aside, not lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from edge.state_file import StateFile

SHAPE = TypeAdapter(dict[str, int])


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """A value comes back from the disk, and the second one replaces the first."""
    file = StateFile(tmp_path / "new" / "pulses.json", SHAPE)
    assert file.load() is None
    file.save({"count": 1})
    file.save({"count": 2})
    assert StateFile(tmp_path / "new" / "pulses.json", SHAPE).load() == {"count": 2}


def test_a_write_that_was_cut_leaves_the_old_value(tmp_path: Path) -> None:
    """Power that fails in the middle of a write leaves what was there before."""
    path = tmp_path / "pulses.json"
    StateFile(path, SHAPE).save({"count": 1})
    (tmp_path / "pulses.json.new").write_bytes(b'{"cou')
    assert StateFile(path, SHAPE).load() == {"count": 1}


@pytest.mark.parametrize("content", [b"", b'{"count": ', b'{"count": "many"}', b"\x00" * 16, b"\xff\xfe"])
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged file is kept for inspection, reported, and counts as none."""
    path = tmp_path / "pulses.json"
    path.write_bytes(content)
    assert StateFile(path, SHAPE).load() is None
    assert (tmp_path / "pulses.json.damaged").read_bytes() == content
    assert "is damaged" in caplog.text
