"""A channel of somebody else is one module, named by a setting."""

import sys
from pathlib import Path

import pytest
from quart import Quart

from mission_control.channels.channel import CHANNELS
from mission_control.channels.installation import install_channels
from mission_control.core.settings import ConfigError
from tests.settings import having

MODULE = """
from mission_control.channels.channel import Channel

class Pigeons(Channel):
    kind, name, links = "pigeons", "Pigeons", "typed"

    async def send(self, line, message):
        return "one"

PIGEONS = Pigeons()
"""


def with_channels(app: Quart, *names: str) -> None:
    """Begin anew with channels of these modules."""
    with having(app, reach_channels=names):
        install_channels(app)


async def test_module_that_is_named_installs_its_channel(
    app: Quart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "our_pigeons.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        with_channels(app, "our_pigeons")
        assert CHANNELS["pigeons"].name == "Pigeons"
        with_channels(app, "our_pigeons")  # a second application installs it no second time
    finally:
        CHANNELS.pop("pigeons", None)
        sys.modules.pop("our_pigeons", None)


async def test_module_without_a_channel_is_refused(app: Quart) -> None:
    with pytest.raises(ConfigError, match="cannot be imported"):
        with_channels(app, "there_is_no_such_module")
    with pytest.raises(ConfigError, match="no value that is a Channel"):
        with_channels(app, "json")
