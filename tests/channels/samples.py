"""Messages and lines for tests of channels."""

from typing import Any

import pytest

from mission_control.channels.channel import CHANNELS, Button, Client, Item, Line, Message
from mission_control.core.settings import Settings

CHATS = tuple(channel for kind, channel in CHANNELS.items() if kind not in ("mail", "push"))
each_chat = pytest.mark.parametrize("channel", CHATS, ids=lambda chat: chat.kind)
TOKENS = tuple(f"018f3c2a9b1e4d57a6c0aa.{number}.ZQv-Q7WMm4QTUR-dvzg9" for number in range(3))
NEED = Message(
    title="Approve: deploy to production",
    lines=("Payments. Rook asks: tests are green, 3 files changed.", "Without an answer by 18:00 it is sent back."),
    url="https://mission.example.org/reach/018f3c2a",
    buttons=(Button("Approve", TOKENS[0], "go"), Button("Request changes", TOKENS[1], "stop")),
    key="018f3c2a",
    topic="approval:01a2",
    board="Payments",
    is_urgent=True,
)
ENDED = Message(
    title="Approved by Ada at 17:04",
    lines=("Payments. Deploy to production.",),
    url=NEED.url,
    key="018f3c2a",
    topic=NEED.topic,
    has_ended=True,
)
DIGEST = Message(
    title="5 things wait",
    url="https://mission.example.org/",
    sections=(
        (
            "Waiting for you",
            (Item("Approve: deploy", "Payments", "https://mission.example.org/needs/1"), Item("Which?")),
        ),
        ("Ended without you", (Item("Approve: rename", "approved by Grace"),)),
    ),
    key="digest-1",
)
SETTINGS = Settings.from_environment(
    {"SECRET_KEY": "a-secret-key-for-tests-that-is-long-enough", "OUTBOUND_ALLOW_PRIVATE": "true"}
)


def line_to(to: str, *, answers_at: str = "", request: Any = None, **settings: str) -> Line:
    """A way to a provider on this machine."""
    return Line(request or Client(allow_private=True), SETTINGS, settings, to, answers_at)
