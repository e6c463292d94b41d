"""A disk that others fill to the last byte, and a quota: what is promised survives, and nothing is dropped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[2]
MOUNT = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" -m tests.system.full_disk crowded "$1"'


def story(command: list[str]) -> dict[str, Any]:
    """Return what a process tells that lives through a full disk."""
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_disk_without_a_byte_left_costs_neither_extremes_nor_the_newest(tmp_path: Path) -> None:
    """On a small file system of its own, filled by others twice: old readings are thinned, new ones are taken."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a file system of its own needs root and unshare (Debian package util-linux)")
    told = story(["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable])
    assert told["free_when_full"] == 0
    assert told["refused"] == [0, 0, 0, 0]
    assert told["dropped"] == 0
    assert told["thinned"] > 0
    assert told["left"] == told["accepted"] - told["thinned"]
    assert told["left_was_accepted"]
    assert told["extremes_left"]
    assert told["last_round_left"]
    assert told["reserve_held_again"]


def test_a_quota_is_a_full_disk(tmp_path: Path) -> None:
    """Where files may not grow, whatever was taken is there in the end, whole or as its extremes."""
    told = story([sys.executable, "-m", "tests.system.full_disk", "limited", str(tmp_path)])
    assert told["refused"][-1] == 0
    assert told["left"] == told["accepted"] - told["thinned"] - told["dropped"]
    assert told["left_was_accepted"]
    assert told["extremes_left"]
    assert told["last_round_left"]
