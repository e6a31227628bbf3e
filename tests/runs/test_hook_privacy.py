"""What a board does not keep of the programs that people run is nowhere: not in tables, logs, answers or pages."""

import json
import logging
from typing import Any

import pytest
from tortoise import Tortoise

from mission_control.boards.models import Board
from mission_control.database.sql import rows
from mission_control.runs.hooks import detail_levels
from mission_control.runs.hooks import queue as hook_queue
from tests.cast import Cast
from tests.hooks import SESSION, called, event, recorded, sessions
from tests.visitor import visitor

pytestmark = pytest.mark.usefixtures("unasked")  # what programs ask: test_permissions.py

SECRET = "zq9secretzq9"
# What a program calls its things, and the titles of its plan, are kept at every level.
NAMES = {
    *("session_id", "hook_event_name", "prompt_id", "permission_mode", "tool_name", "tool_use_id", "agent_id"),
    *(
        "agent_type", "subject", "task_subject", "taskId", "task_id", "id", "reason", "notification_type", "todos",
        "parent",
    ),
}  # fmt: skip
HOOKS = recorded("claude-code-hooks")


def with_secrets(value: Any, name: str = "") -> Any:
    """The same with a secret in each text: in folders of paths, behind the first word of everything else."""
    if isinstance(value, dict):
        return {key: one if key in NAMES else with_secrets(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [with_secrets(one, name) for one in value]
    if not isinstance(value, str) or SECRET in value:
        return value
    if value.startswith("/"):
        folder, _, last = value.rpartition("/")
        return f"{folder}/{SECRET}/{last}"
    if name.endswith("_path"):
        return f"{SECRET}/{value}"
    return f"{value} {SECRET}"


def corpus() -> list[tuple[str, dict[str, Any]]]:
    """All recorded events with secrets, and what was not recorded."""
    more = [
        event("PostToolUseFailure", tool_name="Bash", tool_use_id="t1", tool_input={}, error="It broke"),
        event("StopFailure", error="server error", last_assistant_message="Oh"),
        event("PostToolBatch", tool_calls=[called("PostToolUse", "Grep", "7", pattern="x", path="/a/b")]),
        event("Elicitation", message="Which key?", given={"answer": ["a", {"b": "c"}]}),
        event("UserPromptSubmit", prompt="<task-notification> done", prompt_id="p9"),
        called("PreToolUse", "WebFetch", "8", url="https://example.org/a?key", prompt="Read"),
        called("PreToolUse", "Bash", "9", command=f"KEY={SECRET} make"),
        called("PreToolUse", "Bash", "10", command=f"{SECRET}=1 make"),
        called("PreToolUse", "Bash", "11", command=f"$({SECRET}) make"),
        called("PreToolUse", "Bash", "12", command=f"'{SECRET}' x"),
        called("PreToolUse", "Read", "13", file_path=f"C:\\{SECRET}\\a.txt"),
    ]
    codex = [*recorded("codex-hooks").values(), {**HOOKS["Stop"], "hook_event_name": "PostModelRequest", "error": "Oh"}]
    gemini = list(recorded("gemini-hooks").values())
    opencode = [*recorded("opencode-hooks").values(), event("session.error", error="Oh dear"), event("question.asked")]
    sent = {"claude-code": [*HOOKS.values(), *more], "codex": codex, "gemini": gemini, "opencode": opencode}
    return [(client, with_secrets(one)) for client, events in sent.items() for one in events]


def export_of(otlp: dict[str, Any]) -> dict[str, Any]:
    """All records of an export, with secrets in all attributes but those that name things."""
    named = ("session.id", "event.name", "request_id", "prompt.id")
    holders = [otlp["resource"], *otlp["logs"].values()]
    resource, *records = (
        one | {"attributes": [a if a["key"] in named else {**a, "value": with_secrets(a["value"])} for a in attributes]}
        for one in holders
        if (attributes := one["attributes"])
    )
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}


async def everything() -> str:
    tables = [model._meta.db_table for models in Tortoise.apps.values() for model in models.values()]
    return repr([await rows(f'SELECT * FROM "{table}"') for table in tables])


async def test_no_secret_of_a_session_is_kept_at_the_level_of_names(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await cast.add_task()
    (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()
    answers = []
    for client, one in corpus():
        raw = json.dumps(one)
        for sent in (raw, raw[: len(raw) // 2], raw.replace('"cwd"', f'"{SECRET}": 1, "cwd"')):
            answer = await cast.vega.call("POST", f"/connect/{client}/hooks", data=sent.encode())
            answers.append(answer.ok())
    for name in ("claude-code-otlp", "gemini-otlp"):
        answers.append((await cast.vega.post("/connect/otlp/v1/logs", export_of(recorded(name)))).ok())
    await hook_queue.write()
    found = await everything()
    assert SECRET not in found and SECRET not in repr(answers) and SECRET not in caplog.text
    assert "Wrote note.txt" in found and "Ran touch" in found and "gm:" in found and "cc:" in found
    ada = await visitor(cast.app, cast.ada)
    for session in await sessions(cast):
        page = (await ada.get(f"/boards/{cast.board.id}/sessions/{session['id']}")).is_status(200)
        assert SECRET not in page.text
    assert {one["external_id"] for one in await sessions(cast)} >= {SESSION}


@pytest.mark.parametrize("text", [
    "sk-ant-api03-AbCdEfGhIjKlMnOpQr", "ghp_AbCdEfGhIjKlMnOpQrStUvWx", "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdef", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSM", "mca_abcdefghijklmnop", "hunter2hunter2",
])  # fmt: skip
async def test_what_looks_like_a_credential_is_hidden_at_every_level(cast: Cast, text: str) -> None:
    await Board.filter(id=cast.board.id).update(session_detail="all")
    shown = f"PASSWORD={text}" if text.startswith("hunter") else text
    call = called("PostToolUse", "Bash", "1", command=f"deploy {shown} --now", more={"env": [f"say {shown} done"]})
    call["tool_response"] = {"stdout": f"used {shown}."}
    for one in (event("UserPromptSubmit", prompt=f"Use {shown} please"), call):
        (await cast.vega.post("/connect/claude-code/hooks", one)).ok()
    await hook_queue.write()
    found = await everything()
    part = text[8:30].strip("-\n ") if "KEY" not in text else "MIIE"
    assert part not in found and "deploy" in found and "please" in found


@pytest.mark.parametrize(("command", "word"), [
    ("make test", "make"), ("/opt/key/bin/tool -x", "tool"), ("A=1 make", ""), ("$(cat key)", ""), ("'a b' c", ""),
    ("./run.sh", "run.sh"), ("", ""), ("   ", ""), ("a=b", ""), ("~/x/y z", ""), ("cat<<EOF", ""),
])  # fmt: skip
def test_first_word_of_a_command(command: str, word: str) -> None:
    assert detail_levels.first_word(command) == word


def test_paths_by_level() -> None:
    path = {"file_path": "/home/mara/shop/src/a.py"}
    shown = {
        level: detail_levels.Kept(level, "/home/mara/shop").call("Read", path)["path"]
        for level in ("names", "commands", "all")
    }
    assert shown == {"names": "a.py", "commands": "src/a.py", "all": "src/a.py"}
    assert detail_levels.Kept("commands", "/srv").call("Read", path)["path"] == path["file_path"]
    assert detail_levels.Kept("names").call("Read", {"file_path": "C:\\keys\\a.py"})["path"] == "a.py"
