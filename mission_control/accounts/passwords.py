"""Passwords: argon2id, computed in threads so that the event loop never waits for it."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
# Of "nobody has this password", with the parameters above: hashing it here would delay the start of every process.
_nobody = "$argon2id$v=19$m=19456,t=2,p=1$FwPdA6F/T1dqGbHSIkJEpQ$gcfSR7DSZx1qh774qPBI0aYoNbSBqSstlZp992BRKRg"


async def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def password_fits(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long when nothing is stored."""
    async with _at_once:
        return await asyncio.to_thread(_fits, password, stored or _nobody) and stored is not None


def _fits(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
