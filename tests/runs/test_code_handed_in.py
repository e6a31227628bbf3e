"""Code that is handed in: its diff is kept, an answer is bound to its head, comments at lines are the note."""

from typing import Any

import pytest

from mission_control.tasks.models import Attachment
from tests.cast import Cast
from tests.claiming import taken
from tests.needs.test_needs import one_of
from tests.needs.test_needs_answers import answer

DIFF = """diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -11,2 +11,3 @@
 import time
-TTL = 5
+TTL = 300
+SIZE = "<b>10</b>"
"""
HEAD, BASE = "3f" * 20, "0a" * 20
CODE: dict[str, Any] = {
    "base": BASE,
    "head": HEAD,
    "branch": "task/1-cache",
    "pull_request": "https://github.com/acme/app/pull/7",
    "commits": [{"id": HEAD, "title": "Keep it longer", "url": "https://github.com/acme/app/commit/3f3f"}],
    "diff": DIFF,
    "tests": "\x1b[32m41 passed\x1b[0m in 0.3s\n",
}
LINES: list[dict[str, Any]] = [
    {"path": "app.py", "line": 12, "text": "Why 300?"},
    {"path": "app.py", "text": "And a test."},
]


async def code_handed_in(cast: Cast, *, asks: bool = True, **code: Any) -> dict[str, Any]:
    """A task in review with code that Vega handed in; where people are asked, for an approval."""
    await cast.rule(require_approval_for_done=asks, require_review_before_done=True)
    await cast.add_task(title="Cache it")
    task = await taken(cast)
    await hand_in(cast, task, **code)
    return task


async def hand_in(cast: Cast, task: dict[str, Any], **code: Any) -> dict[str, Any]:
    body = {"fence": task["fence"], "summary": "It is kept longer.", "code": CODE | code}
    found: dict[str, Any] = (await cast.vega.post(f"/agent{cast.task(task)}/completions", body)).ok()
    return found


async def again(cast: Cast) -> dict[str, Any]:
    """What Vega is told when it takes up again what was sent back."""
    return dict((await cast.vega.post("/agent/next", {"wait_seconds": 0})).ok())


async def test_code_is_kept_with_its_diff_and_output_as_files(cast: Cast) -> None:
    task = await code_handed_in(cast)
    [run] = (await cast.cleo.get(f"{cast.task(task)}/runs")).ok()["items"]
    code = run["code"]
    assert {name: code[name] for name in ("base", "head", "branch", "pull_request")} == {
        name: CODE[name] for name in ("base", "head", "branch", "pull_request")
    }
    assert code["commits"] == CODE["commits"]
    files = {one["id"]: one for one in (await cast.cleo.get(f"{cast.task(task)}/attachments")).ok()["items"]}
    assert (files[code["diff_id"]]["name"], files[code["tests_id"]]["name"]) == ("changes.diff", "tests.txt")
    assert files[code["diff_id"]]["sha256"] == code["diff_sha256"]
    content = await cast.cleo.get(f"{cast.task(task)}/attachments/{code['diff_id']}/content")
    assert content.body.decode() == DIFF


async def test_work_without_code_has_none(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    body = {"fence": task["fence"], "summary": "Done.", "code": {}}
    found = (await cast.vega.post(f"/agent{cast.task(task)}/completions", body)).ok()
    assert found["run"]["code"] is None and await Attachment.all().count() == 0


@pytest.mark.parametrize("wrong", [
    {"head": "main"}, {"pull_request": "javascript:alert(1)"}, {"commits": [{"id": HEAD, "url": "ftp://x"}]},
    {"diff": "x" * 1_000_001}, {"branch": "x" * 256},
])  # fmt: skip
async def test_code_that_does_not_fit_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    await cast.add_task()
    task = await taken(cast)
    body = {"fence": task["fence"], "summary": "Done.", "code": CODE | wrong}
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", body)).refused(422)


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
async def test_answer_is_bound_to_the_head_that_was_shown(cast: Cast, asks: bool) -> None:
    task = await code_handed_in(cast, asks=asks)
    seen = (await one_of(cast.cleo, "approval" if asks else "review"))["substance"]
    assert "code:" in seen
    (await cast.cleo.post(f"{cast.task(task)}/reviews", {"decision": "send_back", "note": "Longer."})).ok()
    told = await again(cast)
    await hand_in(cast, told["task"] | {"fence": told["lease"]["fence"]}, head="5e" * 20)
    now = await one_of(cast.cleo, "approval" if asks else "review")
    refused = await answer(cast.cleo, now, "approve", substance=seen)
    assert (refused.status, refused.code) == (409, "need_changed")
    [changed] = [one for one in refused.detail["changed"] if one["part"] == "code"]
    assert "5e" * 20 in str(changed["now"])
    (await answer(cast.cleo, now, "approve", substance=now["substance"])).ok()


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
async def test_comments_at_lines_are_the_note_of_the_rework(cast: Cast, asks: bool) -> None:
    task = await code_handed_in(cast, asks=asks)
    before = {"path": "app.py", "line": 12, "is_former": True, "text": "This one was fine."}
    body = {"decision": "changes_requested", "note": "Almost.", "lines": [*LINES, before]}
    found = (await cast.cleo.post(f"{cast.task(task)}/reviews", body)).ok()
    assert (found["status"], found["assigned_agent_id"]) == ("inbox", str(cast.vega.id))
    note = "Almost.\n\n`app.py:12`: Why 300?\n\n`app.py`: And a test.\n\n`app.py:12` (before): This one was fine."
    told = await again(cast)
    assert told["why"]["kind"] == "rework" and note in told["why"]["text"]
    assert told["comments"][-1]["message"] == note
    if asks:
        [asked] = (await cast.cleo.get(cast.approvals)).ok()["items"]
        assert (asked["decision"], asked["note"]) == ("changes_requested", note)


async def test_sending_back_needs_a_word(cast: Cast) -> None:
    task = await code_handed_in(cast)
    path = f"{cast.task(task)}/reviews"
    back: dict[str, Any] = {"decision": "changes_requested"}
    wrongs: list[dict[str, Any]] = [
        {},
        {"lines": []},
        {"lines": [{"path": "a", "text": " "}]},
        {"lines": [LINES[0]] * 101},
    ]
    for wrong in wrongs:
        (await cast.cleo.post(path, back | wrong)).refused(422)
    long = [LINES[0] | {"text": "x" * 4000}] * 6
    (await cast.cleo.post(path, back | {"lines": long})).refused(422)
    (await cast.cleo.post(path, back | {"lines": LINES[:1]})).ok()
