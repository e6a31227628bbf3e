"""Fixtures of tests of what is live."""

from typing import Any

import pytest

from mission_control.claims import polling
from tests.live.waiters import LOOKS


@pytest.fixture
def looks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember in LOOKS every look for work that found none."""
    LOOKS.clear()
    look = polling._look

    async def looked(*arguments: Any) -> Any:
        found = await look(*arguments)
        if found[0] is None:
            LOOKS.append(None)
        return found

    monkeypatch.setattr(polling, "_look", looked)
