"""Log lines: two shapes, the running request in each, levels by outcome."""

import asyncio
import json
import logging
import sys

import pytest

from mission_control.core.request_facts import reset_request_id, set_request_id
from mission_control.http.exchange import Exchange, Rules, waits
from mission_control.http.proxies import Message, Receive, Scope, Send
from mission_control.http.request_log import WAITS, RequestContext, formatter, request_line
from tests.tiny_app import settings_with, tiny_app


def line(extra: dict[str, object] | None = None, **environment: str) -> str:
    """One formatted record, as it is written during a request."""
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "f.py", 7, "it.happened", (), None, "f", extra)
    named, placed = set_request_id("id-1"), request_line.set(("GET", "/boards"))
    try:
        RequestContext().filter(record)
    finally:
        reset_request_id(named)
        request_line.reset(placed)
    return formatter(settings_with(**environment)).format(record)


def test_text_lines_carry_the_request() -> None:
    text = line({"count": 3}, LOG_USE_UTC="true")
    assert "INFO x it.happened app=mission-control version=" in text
    assert text.endswith("count=3 request_id=id-1 method=GET path=/boards")


def test_value_cannot_forge_a_log_line() -> None:
    assert "\n" not in line({"title": "a\n2026 ERROR forged"})


@pytest.mark.parametrize("value", ['x" status_code=200', "status_code=200", "a b", "", 'say "hi"'])
def test_value_cannot_forge_a_log_field(value: str) -> None:
    text = line({"title": value})
    shown = value.replace('"', '\\"')
    assert f' title="{shown}" request_id=id-1 ' in text


def test_json_lines_are_one_object() -> None:
    found = json.loads(line({"count": 3, "odd": {1: object}}, LOG_FORMAT="json"))
    assert found["timestamp"].endswith("+00:00")
    assert (found["level"], found["logger"], found["message"]) == ("INFO", "x", "it.happened")
    assert (found["request_id"], found["method"], found["path"], found["count"]) == ("id-1", "GET", "/boards", 3)
    assert {"app", "version", "module", "function", "line"} <= set(found)


def test_json_lines_hold_a_traceback() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    found = json.loads(formatter(settings_with(LOG_FORMAT="json")).format(record))
    assert "LookupError: gone" in found["exception"]


@pytest.mark.parametrize(
    ("path", "level"), [("/seen", "DEBUG"), ("/nowhere", "INFO"), ("/boom", "ERROR"), ("/stream", "DEBUG")]
)
async def test_request_is_logged_by_its_outcome(caplog: pytest.LogCaptureFixture, path: str, level: str) -> None:
    caplog.set_level(logging.DEBUG, "mission_control.request")
    await tiny_app(REQUEST_LOG_SLOW_MS="0").test_client().get(path)
    (record,) = (record for record in caplog.records if record.message == "http.request.complete")
    assert record.levelname == level
    assert {"status_code", "duration_ms", "client_ip"} <= set(vars(record))


@pytest.mark.parametrize("on_purpose", [False, True])
async def test_slow_request_is_a_warning_unless_it_is_a_long_poll(
    caplog: pytest.LogCaptureFixture, on_purpose: bool
) -> None:
    app = tiny_app(REQUEST_LOG_SLOW_MS="1")

    @app.get("/slow")
    async def slow() -> str:
        if on_purpose:
            waits()
        await asyncio.sleep(0.01)
        return "done"

    caplog.set_level(logging.DEBUG, "mission_control.request")
    await app.test_client().get("/slow")
    warned = [record for record in caplog.records if record.message == "http.request.slow"]
    assert len(warned) == (0 if on_purpose else 1)


@pytest.mark.parametrize(("on_purpose", "level"), [(True, "INFO"), (False, "WARNING")])
async def test_disconnected_long_poll_is_no_warning(
    caplog: pytest.LogCaptureFixture, on_purpose: bool, level: str
) -> None:
    async def hung_up(scope: Scope, _receive: Receive, _send: Send) -> None:
        if on_purpose:
            scope[WAITS] = True
        raise asyncio.CancelledError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is left to send")

    caplog.set_level(logging.DEBUG, "mission_control.request")
    scope: Scope = {"type": "http", "method": "GET", "path": "/slow", "headers": [], "client": ("127.0.0.1", 1)}
    with pytest.raises(asyncio.CancelledError):
        await Exchange(Rules.of(settings_with()), scope, receive, send).run(hung_up)
    (record,) = (record for record in caplog.records if record.message == "http.request.incomplete")
    assert record.levelname == level


async def test_health_checks_are_logged_only_on_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mission_control.request")
    await tiny_app().test_client().get("/healthz")
    assert not [record for record in caplog.records if record.name == "mission_control.request"]
    await tiny_app(REQUEST_LOG_INCLUDE_HEALTH="true").test_client().get("/healthz")
    assert [record for record in caplog.records if record.name == "mission_control.request"]
