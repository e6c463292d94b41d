"""The page on which people sign in."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.pages.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """What the form shows."""

    next: str
    """Where it leads."""
    name: str = ""
    """What was written before."""
    trouble: str = ""
    """Why nobody was let in."""
    provider: str = ""
    """What the single sign-on is called; empty for none."""
    nobody_yet: bool = False
    """Whether there is nobody who could sign in."""


def refusal(wait_seconds: int, words: Words) -> str:
    """Return why somebody was not let in, the same for a wrong name and a wrong password."""
    if not wait_seconds:
        return words("This name and password do not go together.")
    if wait_seconds < 120:
        one, many = "Too many tries. Try again in {count} second.", "Too many tries. Try again in {count} seconds."
        return words.many(one, many, wait_seconds)
    return words("Too many tries. Try again in {minutes} minutes.", minutes=-(-wait_seconds // 60))
