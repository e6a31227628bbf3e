"""What is decided is shown where it is decided: every surface has the same counted facts, before the words."""

from html import unescape
from typing import Any

import pytest

from tests.cast import Cast
from tests.mcp.clients import connected
from tests.needs.test_needs import one_of
from tests.runs.test_code_handed_in import BASE, HEAD, code_handed_in
from tests.visitor import visitor

CHECK = {"command": "make test", "exit_code": 0}
PASSED, FAILED = ({**CHECK, "exit_code": code, "commit": HEAD} for code in (0, 2))
WORDS = "It is kept longer."
OWN: dict[str, Any] = {"pull_request": None, "commits": [{"id": HEAD, "title": "Keep it longer"}]}
SIZE, AT = "1 file +2 \N{MINUS SIGN}1", HEAD[:7]
CASES: dict[str, tuple[dict[str, Any], list[str], list[str], bool]] = {
    "green": ({"check": PASSED}, [SIZE, f"Check passed on {AT}"], ["Approve", "Request changes"], True),
    "red": (
        {"check": FAILED}, [f"Check failed on {AT}, exit code 2", SIZE], ["Request changes", "Approve anyway"], False,
    ),
    "stale": (
        {"check": CHECK | {"commit": BASE}}, [SIZE, f"Check passed on {BASE[:7]}, not on what was handed in"],
        ["Approve", "Request changes"], False,
    ),
    "of no commit": (
        {"check": CHECK}, [SIZE, "Check passed, commit unknown"], ["Approve", "Request changes"], True,
    ),
    "counted by the client": (
        {"check": PASSED, "files": 4, "added": 87, "removed": 12},
        ["4 files +87 \N{MINUS SIGN}12", f"Check passed on {AT}"], ["Approve", "Request changes"], True,
    ),
    "unknown": ({"tests": ""}, [SIZE, "No check ran"], ["Approve", "Request changes"], True),
    "unchanged": (
        {"head": BASE, "diff": "", "tests": "", "commits": []}, ["Nothing was changed", "No check ran"],
        ["Close as done", "Request changes"], False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
@pytest.mark.parametrize("case", list(CASES))
async def test_surfaces_show_the_same_facts_before_the_words(cast: Cast, case: str, asks: bool) -> None:
    code, facts, labels, is_fine = CASES[case]
    task = await code_handed_in(cast, asks=asks, **OWN | code)
    need = await one_of(cast.cleo, "approval" if asks else "review")
    assert [one["text"] for one in need["facts"] if one["is_counted"]] == facts
    assert [one["label"] for one in need["answers"]][:2] == labels
    assert [one["recommended"] for one in need["answers"] if one["id"] == "approve"] == [is_fine]
    assert (need["diff_url"] is None) is (case == "unchanged")
    cleo = await visitor(cast.app, cast.cleo)
    pages = ["/", f"/?peek={need['id']}", f"/needs/{need['id']}"]
    pages += ["/approvals", f"{cast.home}/approvals/{need['id'].partition(':')[2]}", cast.task(task)] if asks else []
    for path in pages:
        text = plain((await cleo.get(path)).is_status(200).text)
        places = [text.index(one) for one in facts]
        assert places == sorted(places) and places[-1] < text.index(WORDS), path
        assert ("View diff" in text) is (case != "unchanged"), path
        assert ("Reason given: " in text) is (case == "unchanged"), path
    async with connected(cast.cleo) as client:
        [told] = (await client.ok("list_needs"))["needs"]
    assert told["facts"][: len(facts)] == facts
    assert ("task/1-cache, 1 commit" in told["facts"]) is (case != "unchanged")
    assert told["diff_url"] == need["diff_url"]


def plain(html: str) -> str:
    """A page without the marks of figures."""
    for mark in ("<code>", "</code>", '<b class="plus">', '<b class="minus">', "</b>"):
        html = html.replace(mark, "")
    return unescape(html)


async def test_an_answer_names_the_check_and_the_criteria_that_were_seen(cast: Cast) -> None:
    task = await code_handed_in(cast, **OWN | {"check": PASSED})
    step = (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "Fast", "is_criterion": True})).ok()
    seen = (await one_of(cast.cleo, "approval"))["substance"]
    (await cast.ada.patch(f"{cast.task(task)}/checklist/{step['id']}", {"is_done": True})).ok()
    need = await one_of(cast.cleo, "approval")
    assert "1 of 1 criteria" in [one["text"] for one in need["facts"]]
    refused = await cast.cleo.post(f"/needs/{need['id']}/answers", {"answer": "approve", "substance": seen})
    assert refused.status == 409 and "criteria" in str(refused.body)


async def test_what_an_agent_attached_is_shown_whole_and_not_approved_unseen(cast: Cast) -> None:
    letter = {"to": "hello@roasters.example", "body": "Dear all,\n\nwe come on Tuesday."}
    asked = await cast.ask(payload=letter)
    need = await one_of(cast.cleo, "approval")
    assert need["exact"] == "To: hello@roasters.example\nBody: Dear all,\n\nwe come on Tuesday."
    cleo = await visitor(cast.app, cast.cleo)
    for path in ("/", "/approvals", f"/needs/approval:{asked['id']}"):
        (await cleo.get(path)).has("hello@roasters.example", "we come on Tuesday.")


async def test_what_speaks_against_it_is_not_approved_among_others(cast: Cast) -> None:
    await code_handed_in(cast, **OWN | {"check": FAILED})
    need = await one_of(cast.cleo, "approval")
    assert [one["in_bulk"] for one in need["answers"] if one["id"] in ("approve", "send_back")] == [True, False]
