"""Samples of long sweeps, so that `make test` sees each code path in short."""

from collections.abc import Iterable
from typing import Any

import pytest


def every_third(values: Iterable[Any]) -> list[Any]:
    """Return the parameters of a sweep: each third runs in `make test` too, the others are `thorough`."""
    return [
        value if place % 3 == 0 else pytest.param(value, marks=pytest.mark.thorough)
        for place, value in enumerate(values)
    ]
