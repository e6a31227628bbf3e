"""Samples of long sweeps, so that `make test` sees each code path in short."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], each: int = 3) -> list[Any]:
    """Return the parameters of a sweep: each third, or as said, runs in `make test` too, the others are `thorough`."""
    return [
        pytest.param(value, marks=pytest.mark.thorough) if place % each else value for place, value in enumerate(values)
    ]
