"""Chance that depends on nothing but its key, so that asking twice, or after a restart, gives the same answer."""

from __future__ import annotations

import random


def chance(seed: int, *key: object) -> random.Random:
    """Return the generator of random numbers for one thing at one time."""
    return random.Random(f"{seed}/{'/'.join(map(str, key))}")  # noqa: S311 - a simulation, not a secret
