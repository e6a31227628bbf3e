"""Passwords: argon2id, computed in threads so that the event loop never waits for it."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
_nobody = _hasher.hash("nobody has this password")


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
