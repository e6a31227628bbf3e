"""The approvals queue: reading, deciding, sending back, re-opening."""

from uuid import UUID

import pytest

from mission_control.approvals import pages
from mission_control.approvals import views as reading
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import heading
from mission_control.events.leases import Delivery
from tests.cast import Cast, kinds
from tests.mcp.clients import connected
from tests.visitor import opened, visitor


def where(cast: Cast, approval: dict[str, str]) -> str:
    return f"/boards/{cast.board.id}/approvals/{approval['id']}"


async def state(approval: dict[str, str]) -> tuple[str, str | None, str | None]:
    row = await Approval.get(id=UUID(str(approval["id"])))
    return row.status, row.decision, row.note


async def test_queue_shows_request_reason_and_consequences(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.rule(block_status_changes_with_pending_approval=True, require_approval_for_done=True)
    await cast.ask(
        cast.vega, task, action_type="task.mark_done", confidence=83.4, rubric_scores={"test_coverage": 91},
        lead_reasoning="It is **ready**.", payload={"files": ["<a>.py"]},
    )  # fmt: skip
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get("/approvals")).is_status(200)
    seen.has(
        "Task mark done for #1 Write the report",
        "It is <strong>ready</strong>",
        "High, 83 %",
        "Test coverage",
        ">91<",
        "Vega",
        "Telescope",
    )
    seen.has(f"/boards/{cast.board.id}/tasks/{task['id']}", "&lt;a&gt;.py").lacks("be finished")
    seen.has("#1 cannot change status until then", 'data-key="a"', 'data-key="r"', "(1) Approvals")


async def test_confidence_that_nobody_stated_is_shown_nowhere(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task, other = await cast.add_task(), await cast.add_task(assigned_agent_id=str(cast.vega.id))
    ada = await visitor(cast.app, cast.ada)
    (await cast.vega.post(f"/agent{cast.approvals}", {"action_type": "deploy", "lead_reasoning": "It is ready."})).ok()
    typed = {"task": task["id"], "action_type": "publish", "reason": "It is time.", "hours": ""}
    (await ada.post(f"/boards/{cast.board.id}/approvals/new", typed)).is_status(303)
    (await cast.vega.patch(cast.task(other), {"status": "in_progress"})).ok()
    work = {"fence": 1, "summary": "It is cached."}
    (await cast.vega.post(f"/agent{cast.task(other)}/completions", work)).ok()
    async with connected(cast.rigel) as rigel:
        await rigel.ok("ask", action="publish", question="It is ready.", wait_seconds=0)
    asked = (await cast.ada.get(cast.approvals)).ok()["items"]
    assert [(one["confidence"], one["payload"]["confidence"]) for one in asked] == [(0, None)] * 4
    async with connected(cast.ada) as person:
        requests = (await person.ok("list_requests"))["requests"]
    assert [one["confidence"] for one in requests if one["kind"] == "approval"] == [None] * 4
    for page in ("/", "/approvals", cast.task(other), *(f"/needs/approval:{one['id']}" for one in asked)):
        (await ada.get(page)).is_status(200).lacks("% sure", "Confidence", " 0 %")
    (await cast.ada.patch(f"{cast.approvals}/{asked[-1]['id']}", {"status": "approved"})).ok()
    [notice, *_] = await Delivery.filter(header="APPROVAL RESOLVED", agent_id=cast.vega.id)
    assert "Confidence: not told" in notice.text


async def test_queue_is_oldest_first_and_can_be_empty(cast: Cast) -> None:
    dan = await visitor(cast.app, cast.dan)
    (await dan.get("/approvals")).has("Nothing needs you", "appear here immediately", "No decisions yet")
    await cast.ask(action_type="first")
    await cast.ask(action_type="second")
    text = (await dan.get("/approvals")).has("2 waiting").text
    assert text.index(">First<") < text.index(">Second<")
    assert 'name="decision"' not in text  # Dan only reads


async def test_long_queue_shows_the_oldest_and_those_just_decided(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reading, pages):
        monkeypatch.setattr(module, "MOST_QUEUED", 2)
    asked = [await cast.ask(action_type=name) for name in ("first", "second", "third")]
    dan = await visitor(cast.app, cast.dan)
    seen = (await dan.get("/approvals")).has("2+ waiting", "The oldest 2 are shown.", ">First<", ">Second<")
    seen.lacks(">Third<")
    (await cast.ada.patch(f"{cast.approvals}/{asked[0]['id']}", {"status": "approved"})).ok()
    (await dan.get("/approvals")).has(">Second<", ">Third<")


async def test_queue_is_limited_to_readable_boards(cast: Cast) -> None:
    mine = await cast.ask()
    await cast.mira.post(
        f"/boards/{cast.other_board.id}/approvals",
        {"action_type": "close_dome", "confidence": 9, "lead_reasoning": "x"},
    )
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get("/approvals")).has("Publish").lacks("Close dome", "Dome")
    (await eve.get("/approvals")).lacks("Publish", "Close dome")
    for path in (f"/boards/{cast.board.id}/approvals", where(cast, mine), where(cast, mine) + "/send-back"):
        (await eve.get(path)).is_status(404)
        (await cleo.get(path)).is_status(200)
    (await cleo.get(f"/boards/{cast.other_board.id}/approvals")).is_status(404)


async def test_approval_with_and_without_javascript(cast: Cast) -> None:
    first, second = await cast.ask(), await cast.ask(action_type="deploy")
    cleo = await visitor(cast.app, cast.cleo)
    form = {"decision": "approved", "from": "row", "next": "/approvals"}
    answer = (await cleo.with_htmx.post(where(cast, first) + "/decisions", form)).is_status(204)
    assert "Publish approved." in answer.headers["HX-Trigger"] and "/needs/undos" in answer.headers["HX-Trigger"]
    plain = (await cleo.post(where(cast, second) + "/decisions", form)).is_status(303)
    assert plain.leads_to == "/approvals#queue"
    assert await state(first) == await state(second) == ("approved", "approved", None)
    (await cleo.get("/approvals")).has("Nothing needs you", "The last decision was made")


async def test_sending_back_needs_a_note(cast: Cast) -> None:
    asked = await cast.ask()
    cleo = await visitor(cast.app, cast.cleo)
    to = where(cast, asked)
    (await cleo.get(to + "/send-back")).is_status(200).has("<!doctype html>", "What should change")
    dialog = (await cleo.with_htmx.get(to + "/send-back")).is_status(200)
    dialog.has("<dialog", "data-auto-open", 'name="note"').lacks("<!doctype")
    form = {"decision": "changes_requested", "from": "dialog", "note": " "}
    refused = (await cleo.with_htmx.post(to + "/decisions", form)).is_status(422)
    refused.has("Say what should change.", 'aria-invalid="true"').lacks("<!doctype")
    (await cleo.post(to + "/decisions", form)).is_status(422).has("<!doctype html>", "Say what should change.")
    (await cleo.with_htmx.post(to + "/decisions", form | {"note": "Name the zone."})).is_status(204)
    assert await state(asked) == ("rejected", "changes_requested", "Name the zone.")
    (await cleo.get("/approvals")).has("sent it back", "Name the zone.", "Sent back")


async def test_second_decider_sees_the_current_row(cast: Cast) -> None:
    asked = await cast.ask()
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    to = where(cast, asked) + "/decisions"
    (await ada.with_htmx.post(to, {"decision": "approved", "from": "row"})).is_status(204)
    late = (await cleo.with_htmx.post(to, {"decision": "rejected", "from": "row"})).is_status(409)
    late.has(f'id="approval-{asked["id"]}"', "Ada approved this", 'data-state="decided"').lacks("<!doctype")
    dialog = {"decision": "changes_requested", "note": "x", "from": "dialog"}
    (await cleo.with_htmx.post(to, dialog)).is_status(409).has("Ada approved this").lacks("<textarea")
    (await cleo.with_htmx.post(to, {"decision": "rejected"})).is_status(409).has(
        "<!doctype", "data-reason>Ada approved"
    )
    (await cleo.post(to, {"decision": "rejected"})).is_status(409).has("<!doctype html>", "Ada approved this")
    assert (await state(asked))[0] == "approved"


async def test_invalid_decisions_are_refused(cast: Cast) -> None:
    asked, cleo = await cast.ask(), await visitor(cast.app, cast.cleo)
    to = where(cast, asked)
    (await cleo.post(to + "/decisions", {"decision": "maybe"})).is_status(422).has("Choose one of the options.")
    assert (await state(asked))[0] == "pending"


async def test_history_is_filtered_and_approvals_reopened(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    cleo = await visitor(cast.app, cast.cleo)
    await cleo.post(where(cast, asked) + "/decisions", {"decision": "rejected"})
    (await cleo.get("/approvals?state=rejected")).has(f"decided-{asked['id']}", "Cleo rejected")
    (await cleo.get("/approvals?state=approved")).has("No matching decisions")
    (await cleo.get(f"/approvals?board={cast.board.id}&state=rejected")).has(f"decided-{asked['id']}")
    (await cleo.get("/approvals?board=nonsense&state=nonsense&page=-3")).is_status(200)
    back = await cleo.post(where(cast, asked) + "/reopenings", {"next": "/approvals"})
    assert back.is_status(303).leads_to == "/approvals#queue"
    assert await state(asked) == ("pending", None, None)
    assert ("approval.reopened", cast.vega.id) in await kinds(cast, 0)


async def test_second_request_blocks_reopening(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    cleo = await visitor(cast.app, cast.cleo)
    await cleo.post(where(cast, asked) + "/decisions", {"decision": "rejected"})
    await cast.ask(cast.vega, task)
    refused = await cleo.with_htmx.post(where(cast, asked) + "/reopenings")
    refused.is_status(409).has("data-reason>A task of this request has a pending approval already.")


async def test_stream_adds_new_requests_and_keeps_decided_ones(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    async with cleo.watching("/approvals/live?opened=2020-01-01T00:00:00Z") as watch:
        asked = await cast.ask()
        text = await watch.until('hx-target="#announcements"')
        assert 'hx-target="#queue"' in text and f"approval-{asked['id']}" in text and "1 waiting" in text
        assert "A new approval waits for you." in text
        watch.text = ""
        await cleo.post(where(cast, asked) + "/decisions", {"decision": "approved"})
        text = await watch.until('hx-target="#history"')
        assert 'data-state="decided"' in text and "Nothing waits" in text and 'hx-target="#history"' in text


async def test_stream_ends_with_board_access(cast: Cast) -> None:
    eve, nobody = await visitor(cast.app, cast.eve), await opened(cast)
    (await eve.with_htmx.get(f"/boards/{cast.board.id}/approvals/live")).is_status(404)
    signed_out = (await nobody.with_htmx.get("/approvals/live")).is_status(401)
    assert not signed_out.leads_to


async def test_approval_page_is_live(cast: Cast) -> None:
    asked, other = await cast.ask(), await cast.ask(action_type="deploy")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(where(cast, asked))).has(f"{where(cast, asked)}/live?after=")
    async with ada.watching(f"{where(cast, asked)}/live") as watch:
        await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"decision": "approved"})
        text = await watch.until("What was asked")
    assert "Ada approved" in text and str(other["id"]) not in text
    eve = await visitor(cast.app, cast.eve)
    (await eve.get(f"{where(cast, asked)}/live")).is_status(404)


async def test_static_pages_keep_the_shell_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}/settings")).has(f"/settings/live?active=board-{cast.board.id}&amp;after=")
    async with ada.watching(f"/settings/live?active=board-{cast.board.id}") as watch:
        await cast.ask()
        assert "[data-queue-count]" in await watch.until("data-queue-count")
        await cast.ada.patch(cast.home, {"name": "Dome"})
        assert 'aria-current="page"' in await watch.until("Dome")


async def test_hand_in_title_starts_with_verb_and_object(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task(title="Cache the <pages>")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    evidence = [{"title": "Photo", "url": "https://example.org/p/1"}]
    work = {"fence": 1, "summary": "It is **cached**.", "evidence": evidence}
    asked = (await cast.vega.post(f"/agent{cast.task(task)}/completions", work)).ok()["approval"]
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get("/approvals")).has("Finish #1 Cache the &lt;pages&gt;", "<strong>cached</strong>")
    seen.has('href="https://example.org/p/1"', "#1 is done.", "#1 returns to Vega as rework, with your note.")
    seen.lacks("<dt>Confidence</dt>")
    (await cleo.get(cast.task(task))).has("Finish this task").lacks("% sure")
    answer = (await cleo.with_htmx.post(where(cast, asked) + "/decisions", {"decision": "approved"})).is_status(204)
    assert "Finish #1 Cache the <pages> approved. It is done." in answer.headers["HX-Trigger"]
    (await cleo.get("/approvals")).has("Finish #1 Cache the &lt;pages&gt;</a>", "Cleo approved")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/agents/{cast.vega.id}/inbox")).has("Approved: Finish #1 Cache the &lt;pages&gt;")


async def test_rubric_names_the_good_end(cast: Cast) -> None:
    await cast.ask(rubric_scores={"risk": 90, "clarity": 79})
    text = (await (await visitor(cast.app, cast.cleo)).get("/approvals")).text
    risk, clarity = text[text.index(">Risk ") :], text[text.index(">Clarity ") :]
    assert "lower is better" in risk[:120] and ">bad<" in risk[:420]
    assert "higher is better" in clarity[:120] and ">good<" in clarity[:420]


@pytest.mark.parametrize(("action", "words"), [
    ("task.finish", "Finish #7 Sweep"),
    ("mark_task_done", "Finish #7 Sweep"),
    ("publish", "Publish #7 Sweep"),
    ("data.delete", "Delete data for #7 Sweep"),
    ("send_email", "Send email for #7 Sweep"),
])  # fmt: skip
def test_headings_start_with_the_verb(action: str, words: str) -> None:
    assert heading(action, [(7, "Sweep")]) == words


async def test_diff_texts_and_links_are_shown_in_place(cast: Cast) -> None:
    diff = "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-x = 1\n+x = <2>\n"
    evidence = [{"title": "PR 148", "url": "https://github.com/a/b/pull/148"}]
    await cast.ask(payload={"reason": "r", "diff": diff, "draft": "Dear\nfriend", "evidence": evidence, "to": "14"})
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get("/approvals")).is_status(200)
    seen.has(
        "app.py",
        "+1",
        "\N{MINUS SIGN}1",
        "x = &lt;2&gt;",
        'data-line="added"',
        "Dear\nfriend",
        "Pull request",
        "PR 148",
    )
    seen.has("/css/pages/approvals.css")


async def test_deadline_is_set_and_removed_on_the_page(cast: Cast) -> None:
    asked = await cast.ask()
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    page = where(cast, asked)
    (await cleo.get(page)).has("If nobody decides", "remind everybody", ">Cleo<")
    assert "If nobody decides" not in (await dan.get(page)).text
    await cleo.post(f"{page}/deadline", {"hours": "4", "otherwise": "ask", "person": str(cast.ben.id)})
    (await cleo.get(page)).has("Ben is asked.", "Remove the deadline", "to be decided")
    await cleo.post(f"{page}/deadline/removal", {})
    assert (await Approval.get(id=UUID(str(asked["id"])))).decide_by is None


async def test_person_asks_for_an_approval_of_a_task(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    cleo = await visitor(cast.app, cast.cleo)
    panel = (await cleo.get(cast.task(task).removeprefix("/api/v1"))).is_status(200)
    path = f"{cast.approvals}/new"
    panel.has(f'href="{path}?task={task["id"]}"')
    (await cleo.get(f"{path}?task={task['id']}")).is_status(200).has("Ask for an approval", "#1 Polish the mirror")
    form = {"task": task["id"], "action_type": "publish", "reason": " ", "hours": "24"}
    (await cleo.post(path, form)).is_status(422).has("needs another look", 'value="publish" selected')
    sent = (await cleo.post(path, form | {"reason": "It is clean."})).is_status(303)
    assert sent.leads_to == cast.task(task)
    [need] = (await cast.ben.get("/needs?kind=approval")).ok()["items"]
    assert (need["title"], need["reason"], need["person"]["name"]) == (
        "Approve: Publish #1 Polish the mirror", "It is clean.", "Cleo",
    )  # fmt: skip
    assert need["otherwise"]["at"] is not None and "sure" not in str(need["facts"])
    (await cleo.get(cast.task(task))).lacks(f'href="{path}?task=')
    (await cleo.post(path, form | {"reason": "Again."})).is_status(409)
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(f"{path}?task={task['id']}")).is_status(403)
    (await cleo.get(f"{path}?task={cast.board.id}")).is_status(404)
