"""Passwords: argon2id, computed in threads so that the event loop never blocks."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
# The hash of an unused password, with the parameters above: computing it here would delay every start.
_nobody = "$argon2id$v=19$m=19456,t=2,p=1$FwPdA6F/T1dqGbHSIkJEpQ$gcfSR7DSZx1qh774qPBI0aYoNbSBqSstlZp992BRKRg"


async def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def password_fits(password: str, stored: str | None) -> bool:
    """Return whether the password matches. Takes the same time when no password is stored."""
    async with _at_once:
        return await asyncio.to_thread(_fits, password, stored or _nobody) and stored is not None


def _fits(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
