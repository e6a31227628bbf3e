"""The channel in docs/channels.md works as it stands there, and the table says of each channel what is so."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from quart import Quart, request

from mission_control.channels.channel import CHANNELS, Later, Refused
from mission_control.channels.installation import install_channels
from tests.cast import Cast
from tests.channels.playing import at_home
from tests.channels.samples import CHATS, NEED, line_to
from tests.channels.serving import serving
from tests.settings import having

GUIDE = Path("docs/channels.md").read_text(encoding="utf-8")


def gotify(messages: list[Any], answers: list[Any]) -> Quart:
    """A server that keeps messages."""
    app = Quart("gotify")

    @app.post("/message")
    async def take() -> Any:
        if answers:
            return answers.pop(0)
        messages.append(await request.get_json())
        return {"id": len(messages)}

    return app


async def test_channel_of_the_guide_sends(
    app: Quart, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    (tmp_path / "gotify.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    messages: list[Any] = []
    answers: list[Any] = [({"errorDescription": "you need to provide a valid access token"}, 401), ("", 502)]
    try:
        with having(app, reach_channels=("gotify",)):
            install_channels(app)
        channel = CHANNELS["gotify"]
        async with serving(gotify(messages, answers)) as url:
            line = line_to(url, token="AbC")
            with pytest.raises(Refused, match="valid access token"):
                await channel.send(line, NEED)
            with pytest.raises(Later, match="502"):
                await channel.send(line, NEED)
            assert await channel.send(line, NEED) == "1"
            body = {"kind": "gotify", "values": {"server": url, "token": "AbC"}}
            with at_home(app):
                device = (await cast.ada.post("/users/me/reach/addresses", body)).ok()
                tested = (await cast.ada.post(f"/users/me/reach/devices/{device['id']}/tests")).ok()
        assert tested["ok"] and "reaches you here" in messages[-1]["title"]
    finally:
        CHANNELS.pop("gotify", None)
        sys.modules.pop("gotify", None)


def test_table_says_what_each_channel_does() -> None:
    rows = re.findall(r"^\| (.+?) \| .+? \| (.+?) \| (.+?) \|$", GUIDE, re.M)
    said = {name.split(",")[0].split(" (")[0].removeprefix("Microsoft ").lower(): rest for name, *rest in rows}
    for channel in CHATS:
        answers, ended = said[channel.kind]
        assert ("button" in answers) == channel.answers, channel.kind
        assert ("edited" in ended or "replaced" in ended) == channel.edits, channel.kind
