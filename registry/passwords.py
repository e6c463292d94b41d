"""Passwords: which are refused, and their hashes by Argon2id, made beside the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
LONGEST: Final = 200
_AT_ONCE: Final = 2
"""Hashes made at the same time: each takes 64 MiB while it is made."""
_COMMON_WORDS: Final = """
password passwort passord motdepasse contrasena contraseña senha nywila nenosiri letmein welcome karibu bienvenue
bienvenido admin administrator administrateur root user username test testing demo guest login master secret
changeme changeit default temp temporary qwerty qwertyuiop qwertyui qwertz azerty azertyuiop asdfghjkl asdfgh
zxcvbnm qazwsx qazwsxedc qwertyasdfgh asdfasdf qweqwe iloveyou ilovejesus jesus jesuschrist godisgood sunshine
princess football baseball superman batman dragon monkey shadow michael jennifer whatever trustno internet computer
samsung google facebook vitals vitalsigns vaccine vaccines vaccination coldchain fridge health healthcentre hospital
clinic ministry ministryofhealth uganda kenya tanzania rwanda ethiopia nigeria ghana malawi zambia mozambique
pass passw abc abcd abcdef abcdefg abcdefgh abcdefghij abcdefghijk
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())
_ROWS: Final = ("01234567890123456789", "98765432109876543210")
_LEET: Final = str.maketrans("0134578@$!", "oleastbasi")


class Checked(NamedTuple):
    """What came of looking at a password."""

    right: bool
    newer: str = ""
    """The hash to keep from now on, where the parameters have changed since it was made."""


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    GUESSED = "guessed"
    """It is among the first that are guessed."""


def weakness(password: str, *own: str) -> Weakness | None:
    """Return why a password is refused; None for one that may be used.

    ``own``: names of its owner, which it may not be made of. Length is what counts; beyond it only what stands at the
    head of every list of guesses is refused.
    """
    plain = normal(password)
    if len(plain) < SHORTEST:
        return Weakness.SHORT
    if len(plain) > LONGEST:
        return Weakness.LONG
    if _guessed_first(plain.casefold(), [name.casefold() for name in own if len(name) > 2]):
        return Weakness.GUESSED
    return None


def speakable(seed: str) -> str:
    """Return a password that can be said over a telephone, made from random text: ``kabo-rimu-tefi-dosu-wena``."""
    consonants, vowels = "bdfgklmnprstvwz", "aeiou"
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
    syllables = []
    for _ in range(10):
        number, consonant = divmod(number, len(consonants))
        number, vowel = divmod(number, len(vowels))
        syllables.append(consonants[consonant] + vowels[vowel])
    return "-".join("".join(pair) for pair in zip(syllables[::2], syllables[1::2], strict=True))


def normal(password: str) -> str:
    """Return a password as it is hashed: keyboards write the same letter in several ways."""
    return unicodedata.normalize("NFKC", password)


def _guessed_first(password: str, own: list[str]) -> bool:
    if len(set(password)) < 5 or any(password in row for row in _ROWS):
        return True
    kernels = {_kernel(password), _kernel(re.sub(r"[\W\d_]+$", "", password).translate(_LEET))}
    words = _COMMON.union(_kernel(name) for name in own)
    return any(not kernel or _made_of(kernel, words) for kernel in kernels)


def _kernel(text: str) -> str:
    """Return the letters of a text: what stands between digits and signs is what was thought of."""
    return re.sub(r"[\W\d_]+", "", text)


def _made_of(kernel: str, words: frozenset[str]) -> bool:
    """Tell whether a text is one of the words, or one of them repeated."""
    return any(word and kernel.replace(word, "") == "" for word in words)


@dataclass
class Passwords:
    """Makes and checks hashes in threads, a few at a time."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _dummy: str = field(default="", repr=False)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        async with self._turns:
            return await asyncio.to_thread(self.hasher.hash, normal(password))

    async def check(self, secret: str | None, password: str) -> Checked:
        """Tell whether a password is the one behind a hash; None takes as long, and is never right."""
        if not self._dummy:
            self._dummy = await self.hash("nobody's password")
        if len(password) > LONGEST * 4:
            return Checked(right=False)
        async with self._turns:
            checked = await asyncio.to_thread(self._check, secret or self._dummy, normal(password))
        return checked if secret else Checked(right=False)

    def _check(self, secret: str, password: str) -> Checked:
        try:
            self.hasher.verify(secret, password)
        except (VerificationError, InvalidHashError):
            return Checked(right=False)
        return Checked(True, self.hasher.hash(password) if self.hasher.check_needs_rehash(secret) else "")
