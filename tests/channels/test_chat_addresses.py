"""Addresses that people type for chats, or that chats name: where requests and sockets go, and where they do not."""

from typing import Any

import pytest
from quart import Quart
from quart import redirect as redirected

from mission_control.channels.channel import Channel, Client, Later, Line, Refused
from mission_control.channels.providers._socket import opened
from mission_control.channels.providers.discord import DISCORD
from mission_control.channels.providers.mattermost import MATTERMOST
from mission_control.channels.providers.ntfy import NTFY
from mission_control.channels.providers.teams import TEAMS
from tests.cast import Cast
from tests.channels.fake_mattermost import FakeMattermost
from tests.channels.samples import NEED, each_chat, line_to
from tests.channels.serving import serving

METADATA = "http://169.254.169.254"


def line_at(channel: Channel, url: str, *, private: bool) -> Line:
    """A way by a channel at an address that somebody typed."""
    client = Client(allow_private=private)
    match channel.kind:
        case "mattermost":
            return line_to("dm", request=client, server=url, token="t")
        case "ntfy":
            return line_to("", request=client, server=url, topic="ada")
        case "discord":
            return line_to(f"{url}/api/webhooks/1/secret", request=client)
        case "teams":
            return line_to(f"{url}/workflows/secret", request=client)
        case _:
            return line_to("1", request=client, api=url, token="t", app_token="t")


TYPED = pytest.mark.parametrize("channel", [MATTERMOST, NTFY, DISCORD, TEAMS], ids=lambda one: one.kind)


@TYPED
async def test_private_addresses_are_refused_unless_they_are_allowed(channel: Channel) -> None:
    for url in ("http://127.0.0.1:1", "http://10.0.0.1", "http://[::1]:1", "http://192.168.0.1"):
        with pytest.raises(Refused, match="OUTBOUND_ALLOW_PRIVATE"):
            await channel.send(line_at(channel, url, private=False), NEED)
    with pytest.raises(Refused, match="may not be reached"):
        await channel.send(line_at(channel, METADATA, private=True), NEED)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "[::ffff:127.0.0.1]", "[fd00::1]:80"])
async def test_private_addresses_are_refused_when_they_are_typed(cast: Cast, host: str) -> None:
    mattermost = {"kind": "mattermost", "values": {"server": f"http://{host}", "token": "t"}}
    ntfy = {"kind": "ntfy", "values": {"server": f"http://{host}", "topic": "ada"}}
    discord = {"kind": "discord", "place": f"http://{host}/api/webhooks/1/secret", "channel_id": None}
    for method, path, body in (
        ("POST", "/organizations/me/channels", mattermost),
        ("POST", "/users/me/reach/addresses", ntfy),
        ("POST", "/users/me/reach/addresses", {**ntfy, "values": {"server": host, "topic": "ada"}}),
        ("PUT", f"{cast.home}/reach", {"team": discord}),
        ("PUT", f"{cast.home}/reach", {"team": {**discord, "kind": "teams"}}),
    ):
        assert "may not be reached" in str((await cast.ada.call(method, path, body)).refused(422))


@TYPED
async def test_other_schemes_are_refused(channel: Channel) -> None:
    for url in ("file:///etc/passwd", "gopher://example.org", "http://ada:pass@example.org"):
        with pytest.raises(Refused):
            await channel.send(line_at(channel, url, private=True), NEED)


@each_chat
async def test_redirects_are_not_followed(channel: Channel) -> None:
    app, asked = Quart("elsewhere"), []

    @app.route("/<path:path>", methods=["GET", "POST"])
    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    async def anything(path: str) -> Any:
        asked.append(path)
        return redirected("/inside", 307)

    async with serving(app) as url:
        with pytest.raises(Refused):
            await channel.send(line_at(channel, url, private=True), NEED)
    assert len(asked) == 1 and asked != ["inside"]


async def test_sockets_go_to_checked_addresses_only() -> None:
    for url in ("ws://127.0.0.1:1", "ws://10.0.0.1", "wss://[::1]:1"):
        with pytest.raises(Refused, match="OUTBOUND_ALLOW_PRIVATE"):
            async with opened(url, allow_private=False):
                pass
    with pytest.raises(Refused, match="may not be reached"):
        async with opened("ws://169.254.169.254/x", allow_private=True):
            pass
    for url in ("http://127.0.0.1:1", "ws:///x", "ws://ada@127.0.0.1:1", "ws://[", "nothing", "ws://127.0.0.1:99999"):
        with pytest.raises(Refused, match="no usable address"):
            async with opened(url, allow_private=True):
                pass


async def test_socket_that_cannot_be_opened_is_for_later() -> None:
    app = Quart("elsewhere")

    @app.get("/<path:path>")
    async def anything(path: str) -> Any:
        return redirected("ws://127.0.0.1:1/inside", 302) if path == "moved" else ("no socket", 404)

    async with serving(app) as url:
        for path in ("moved", "none"):
            with pytest.raises(Later, match="could not be opened"):
                async with opened(f"{url.replace('http', 'ws')}/{path}", allow_private=True):
                    pass
    with pytest.raises(Later, match="could not be opened"):
        async with opened("ws://127.0.0.1:1", allow_private=True):
            pass


async def test_frames_that_are_no_objects_are_passed_over() -> None:
    fake = FakeMattermost()
    async with serving(fake.app) as url:
        address = f"{url.replace('http', 'ws')}/api/v4/websocket"
        async with opened(address, allow_private=True) as socket:
            challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": fake.token}}
            assert await socket.sent(challenge)
            await fake.connected.wait()
            await fake.send_text("[1, 2]", "nonsense", '{"event": "typing"}')
            seen = [frame async for frame in socket.received()]
            assert not await socket.sent(challenge)
    assert [one.get("event") for one in seen] == [None, "hello", "typing"]
