"""How much of a subscription is used up, as Codex's own server says it."""

import asyncio
import sys
from pathlib import Path

import pytest

from mission_control.client import checking
from mission_control.client.api import Api
from mission_control.client.credentials import Connection
from mission_control.client.program import Turn
from mission_control.client.programs import codex
from tests.live.crew import Crew
from tests.live.servers import API

SERVER = """#!{python}
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        answer = {{"result": {{}}}} if asked["method"] == "initialize" else json.loads({answer!r})
        print(json.dumps({{"id": asked["id"], **answer}}), flush=True)
"""
PRIMARY = '{"usedPercent": 42, "windowDurationMins": 300, "resetsAt": 4102444800}'
SECONDARY = '{"usedPercent": 9.5, "windowDurationMins": 10080, "resetsAt": null}'


def program(folder: Path, answer: str) -> str:
    path = folder / "codex"
    path.write_text(SERVER.format(python=sys.executable, answer=answer))
    path.chmod(0o755)
    return str(path)


def test_windows_are_named_as_people_say_them(tmp_path: Path) -> None:
    answer = f'{{"result": {{"rateLimits": {{"primary": {PRIMARY}, "secondary": {SECONDARY}}}}}}}'
    assert codex.PROGRAM.windows(program(tmp_path, answer)) == [
        {"name": "5 hours", "used_percent": 42.0, "resets_at": "2100-01-01T00:00:00+00:00"},
        {"name": "week", "used_percent": 9.5, "resets_at": None},
    ]


@pytest.mark.parametrize("answer", [
    '{"error": {"code": -32600, "message": "chatgpt authentication required to read rate limits"}}',
    '{"result": {"rateLimits": {"primary": null, "secondary": null}}}',
    '{"result": {"rateLimits": {"primary": {"usedPercent": "x"}}}}',
    '{"result": null}',
])  # fmt: skip
def test_what_has_no_subscription_has_no_windows(tmp_path: Path, answer: str) -> None:
    assert codex.PROGRAM.windows(program(tmp_path, answer)) == []


@pytest.mark.database
async def test_a_check_tells_the_board(tmp_path: Path, made: Crew) -> None:
    answer = f'{{"result": {{"rateLimits": {{"primary": {PRIMARY}, "secondary": {SECONDARY}}}}}}}'
    api = Api(Connection(made.server.url, made.vega.token, "a test"))
    turn = Turn("checked", "")
    told = await asyncio.to_thread(checking.tell_windows, api, codex.PROGRAM, program(tmp_path, answer), turn)
    api.close()
    assert told == "42 % of its 5 hours, 10 % of its week"
    [session] = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    windows = [(one["name"], one["used_percent"]) for one in session["usage_windows"]]
    assert session["external_id"] == "checked" and windows == [("5 hours", 42), ("week", 10)]


SPANS = {300: "5 hours", 60: "hour", 1440: "day", 10_080: "week", 43_200: "30 days", 7: "7 minutes"}


@pytest.mark.parametrize(("minutes", "name"), SPANS.items())
def test_span(minutes: int, name: str) -> None:
    assert codex.span_of(minutes) == name
