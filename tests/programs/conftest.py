"""The programs that people run, installed once for all."""

from pathlib import Path

import pytest

from tests.programs import installing


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the programs."""
    return installing.programs()
