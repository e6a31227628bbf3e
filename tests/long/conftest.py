"""Long forms run by `make long` only; SEED in the environment repeats a run, ROUNDS makes it longer."""

import os
import random

import pytest

collect_ignore_glob = [] if os.environ.get("LONG") else ["test_*.py"]


@pytest.fixture
def seed() -> int:
    """The seed of this run; it is printed, so that a failure can be repeated."""
    chosen = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"SEED={chosen}")
    return chosen


@pytest.fixture
def rounds() -> int:
    """How often a play is repeated."""
    return int(os.environ.get("ROUNDS") or 10)
