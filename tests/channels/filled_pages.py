"""Rows for looking at the pages of reach: devices, channels, and messages of Ada on a server that runs."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from mission_control.core.times import clock_now

REFUSED = '{"code":40301,"http":403,"error":"forbidden"}'


def fill(database: Path) -> None:
    """Give Ada three devices, one of which fails, one that has ended, a channel that fails, and some messages."""
    with closing(sqlite3.connect(database, timeout=30)) as rows, rows:
        user, organization = rows.execute("SELECT user_id, organization_id FROM organization_members").fetchone()
        _channels(rows, organization)
        _devices(rows, user)
        _messages(rows, user, organization)


def _put(rows: sqlite3.Connection, table: str, **values: object) -> None:
    names = ", ".join(values)
    rows.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", [*values.values()])


def _moment(minutes: float = 0) -> str:
    return (clock_now() - timedelta(minutes=minutes)).isoformat(" ")


def _channels(rows: sqlite3.Connection, organization: str) -> None:
    settings = json.dumps({"known_as": "@harbour_bot"})
    for kind, name, state, error in (
        ("telegram", "Telegram", "on", None),
        ("slack", "Slack", "failing", "invalid_auth"),
    ):
        _put(
            rows, "reach_channels", id=str(uuid4()), created_at=_moment(), updated_at=_moment(), kind=kind, name=name,
            organization_id=organization, settings=settings, secrets="", state=state, last_error=error, position="",
            failing_since=_moment(40) if error else None,
        )  # fmt: skip


def _devices(rows: sqlite3.Connection, user: str) -> None:
    shown = (
        ("push", "Safari on iPhone", _moment(12), None, None),
        ("push", "Firefox on Linux", _moment(200), None, None),
        ("ntfy", "ntfy, mara-needs", None, REFUSED, None),
        ("telegram", "Telegram, ada (@ada)", None, "Forbidden: bot was blocked by the user", _moment(60)),
    )
    for position, (kind, label, ok, error, ended) in enumerate(shown):
        _put(
            rows, "reach_devices", id=str(uuid4()), created_at=_moment(), user_id=user, kind=kind, mark=uuid4().hex,
            who=uuid4().hex, address="", settings="", origin="", label=label, position=position, last_ok_at=ok,
            last_error=error, failed_at=_moment(30) if error else None, ended_at=ended,
        )  # fmt: skip


def _messages(rows: sqlite3.Connection, user: str, organization: str) -> None:
    shown = (
        ("push", "Kit asks to run a command", "sent", None, None),
        ("push", "Kit asks to change .env.example", "elsewhere", "answered at the keyboard", None),
        ("telegram", "Vega was stopped: its budget for #27 is spent", "elsewhere", "Ben was faster", None),
        ("mail", "Approve: deploy to production", "failed", None, "550 5.1.1 no such user here"),
    )
    for minute, (kind, title, state, how, error) in enumerate(shown):
        _put(
            rows, "reach_messages", id=str(uuid4()), created_at=_moment(minute * 9), organization_id=organization,
            user_id=user, kind=kind, why="first", state=state, title=title, topic="", is_first=1, ended_how=how,
            error=error, edited="",
        )  # fmt: skip
