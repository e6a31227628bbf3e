"""Home as a page: what it says, what its forms do, and how it stays current."""

import asyncio
import contextlib
import json
import re
from datetime import datetime, time, timedelta
from html import unescape
from typing import Any

import pytest

from mission_control.core import times
from mission_control.events.reader_wakeups import publish_signals
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.home import regions
from mission_control.home.listing import answered_by_others, find
from mission_control.http import lookups
from mission_control.metrics.counting import count_more
from mission_control.needs.kinds import KINDS
from mission_control.needs.queries import count
from mission_control.people.models import BoardAccess, Member
from mission_control.questions.models import Question
from tests.cast import Cast, Person
from tests.many_needs import put_needs
from tests.statements import counted
from tests.visitor import Visitor, give_password, visitor


async def at(cast: Cast, person: Person) -> Visitor:
    """Somebody at their browser."""
    await give_password(cast.ada)
    return await visitor(cast.app, person)


async def ask_question(cast: Cast) -> str:
    """A question of Atlas with two options; its id."""
    path = f"/agent{cast.home}/gateway/main/ask-user"
    asked = str((await cast.atlas.post(path, {"content": "Which lens?"})).ok()["question_id"])
    options = [
        {"id": "wide", "label": "The wide one", "outcome": "Atlas orders it.", "recommended": True},
        {"id": "long", "label": "The long one", "outcome": "Atlas waits for stock.", "recommended": False},
    ]
    await Question.filter(id=asked).update(options=options)
    return asked


async def test_a_row_says_what_is_asked_and_what_follows(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    asked = await cast.ask(cast.vega, task)
    ada = await at(cast, cast.ada)
    page = (await ada.get("/")).is_status(200)
    page.has(
        f'id="need-approval-{asked["id"]}"',
        "Polish the mirror",
        "Vega",
        "No answer:",
        "Request changes",
        "1 waits, it came",
    )
    page.has(f'action="/needs/approval:{asked["id"]}/answers"', 'data-note="required"', 'aria-current="page"')


async def test_an_answer_performs_its_operation(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    seen = await ada.with_htmx.post(f"/needs/approval:{asked['id']}/answers", {"answer": "approve"})
    assert seen.status == 204 and "Approved" in seen.headers["HX-Trigger"]
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "approved"
    (await ada.get("/")).lacks("data-pending").has("Nothing needs you", "you approved this")


async def test_options_and_own_words_answer_a_question(cast: Cast) -> None:
    asked = await ask_question(cast)
    ada = await at(cast, cast.ada)
    (await ada.get("/")).has("Which lens?", "The wide one", "recommended", "Atlas waits for stock.", 'data-key="2"')
    (await ada.post(f"/needs/question:{asked}/answers", {"answer": "option:long"})).is_status(303)
    assert (await cast.ada.get(f"{cast.home}/questions/{asked}")).ok()["state"] == "answered"


async def test_an_undo_asks_again(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    await ada.post(f"/needs/approval:{asked['id']}/answers", {"answer": "approve"})
    (await ada.post("/needs/undos", {"needs": f"approval:{asked['id']}"})).is_status(303)
    (await ada.get("/")).has(f'id="need-approval-{asked["id"]}"')


async def test_without_javascript_missing_words_are_asked_for(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    path = f"/needs/approval:{asked['id']}/answers"
    seen = (await ada.post(path, {"answer": "send_back"})).is_status(422)
    seen.has("What should change?", 'aria-invalid="true"', 'value="send_back"')
    (await ada.post(path, {"answer": "send_back", "note": "Shorter."})).is_status(303)
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["decision"] == "changes_requested"


async def test_the_second_answer_reads_whose_was_first(cast: Cast) -> None:
    asked = await cast.ask()
    ada, ben = await at(cast, cast.ada), await at(cast, cast.ben)
    path = f"/needs/approval:{asked['id']}/answers"
    (await ben.with_htmx.post(path, {"answer": "approve"})).is_status(204)
    late = await ada.with_htmx.post(path, {"answer": "reject"})
    late.is_status(409).has("Ben approved this")
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "approved"


async def test_what_others_answer_stays_struck_for_a_moment(cast: Cast) -> None:
    asked, other = await cast.ask(), await cast.ask(cast.rigel)
    ada = await at(cast, cast.ada)
    opened = (await ada.get("/")).is_status(200)
    live = unescape(opened.text.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch:
        (await cast.ben.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        text = await watch.until("Ben approved this")
    assert f'id="need-approval-{other["id"]}"' not in text and "<s>" in text
    (await ada.get("/")).lacks("<s>").has(f'id="need-approval-{other["id"]}"')
    actor, since = await cast.ada.actor(), times.clock_now() - timedelta(hours=1)
    assert [one.name for one in await answered_by_others(actor, since)] == ["Ben"]
    with times.travelled(timedelta(minutes=3)):
        assert await answered_by_others(actor, since) == []


async def test_snoozed_rows_come_back(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    name = f"approval:{asked['id']}"
    until = (times.clock_now() + timedelta(hours=1)).isoformat() + "Z"
    seen = await ada.with_htmx.post(f"/needs/{name}/snoozes", {"until": until})
    assert seen.status == 204 and "Snoozed" in seen.headers["HX-Trigger"]
    (await ada.get("/")).lacks(f'id="need-approval-{asked["id"]}"').has("1 snoozed", "back ")
    (await ada.get("/?show=snoozed")).has(f'id="need-approval-{asked["id"]}"', "All that waits")
    (await ada.post(f"/needs/{name}/unsnoozes")).is_status(303)
    (await ada.get("/")).has(f'id="need-approval-{asked["id"]}"')
    (await ada.post(f"/needs/{name}/snoozes", {"until": "change"})).is_status(303)
    (await ada.post(f"/needs/{name}/snoozes", {"until": "soon"})).is_status(422)
    with times.travelled(timedelta(hours=2)):
        (await ada.get("/")).has("1 snoozed")


async def test_a_selection_lists_what_it_decides(cast: Cast) -> None:
    first, second = await cast.ask(), await cast.ask(cast.rigel)
    question = await ask_question(cast)
    names = [f"approval:{one['id']}" for one in (first, second)]
    ada = await at(cast, cast.ada)
    query = "&".join(f"need={one}" for one in [*names, f"question:{question}"])
    bar = (await ada.with_htmx.get(f"/needs/selection?{query}")).is_status(200)
    bar.has("3 selected: this is what you decide", "Approve 2 of 3", "Stays: it is answered by itself.")
    takes = re.findall(r'name="takes" value="([^"]*)"', bar.text)
    typed = {"need": re.findall(r'name="need" value="([^"]+)"', bar.text)[:3], "takes": takes}
    assert f"question:{question}" in typed["need"]
    (await ada.get(f"/needs/selection?{query}")).is_status(200).has("Decide together")
    (await ada.get("/needs/selection?need=odd&need=approval:1")).is_status(200).has("Nothing is ticked")
    (await cast.ben.patch(f"{cast.approvals}/{second['id']}", {"status": "approved"})).ok()
    done = await ada.with_htmx.post("/needs/answers", typed | {"answer": "approve"})
    assert done.status == 204 and "Approved: 1. 1 was not: Ben approved this" in done.headers["HX-Trigger"]
    assert first["id"] in done.headers["HX-Trigger"] and second["id"] not in done.headers["HX-Trigger"]


async def test_a_peek_says_what_a_row_is_about(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror", description="With *care*.")
    asked = await cast.ask(
        cast.vega, task, payload={"reason": "Smooth.", "diff": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new"}
    )
    (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Half is done."})).ok()
    ada = await at(cast, cast.ada)
    path = f"/needs/approval:{asked['id']}"
    part = (await ada.with_htmx.get(path)).is_status(200).has('id="panel"', "Half is done.", "<em>care</em>")
    part.has("new", "old").lacks("<!doctype")
    (await ada.get(path)).is_status(200).has("Half is done.", "<em>care</em>")
    (await ada.get(f"/?peek=approval:{asked['id']}")).is_status(200).has("data-peek=")
    (await ada.get("/?peek=approval:gone")).is_status(200).lacks("data-peek=")
    (await (await at(cast, cast.eve)).get(path)).is_status(404)


async def test_readers_are_told_that_they_cannot_answer(cast: Cast) -> None:
    asked = await cast.ask()
    dan = await at(cast, cast.dan)
    (await dan.get("/")).is_status(200).lacks("data-pending").has("You can read these boards.")
    path = f"/needs/approval:{asked['id']}/answers"
    (await dan.post(path, {"answer": "approve"})).is_status(404)


async def test_a_new_installation_begins_with_instructions(cast: Cast) -> None:
    member = await Member.get(user_id=cast.dan.id)
    await BoardAccess.filter(organization_member_id=member.id).delete()
    (await (await at(cast, cast.dan)).get("/")).is_status(200).has("Ada or Ben can share one")
    eve = await at(cast, cast.eve)
    (await eve.get("/")).is_status(200).has("Nothing needs you")
    (await cast.eve.delete(f"/agents/{cast.nova.id}")).ok()
    (await eve.get("/")).is_status(200).has("Connect an agent", f"/agents/connect?board={cast.foreign_board.id}")
    (await cast.eve.delete(f"/boards/{cast.foreign_board.id}")).ok()
    (await eve.get("/")).is_status(200).has("Create your first board", 'action="/boards"')


async def test_long_lists_show_their_first_part(cast: Cast) -> None:
    for _ in range(53):
        await cast.ask()
    ada = await at(cast, cast.ada)
    page = (await ada.get("/")).is_status(200).has("53 wait", "Show all 53", 'data-layout="dense"')
    assert page.text.count("data-pending") == 30
    whole = (await ada.get("/?all=1&view=roomy")).has('data-layout="roomy"').lacks("Show all")
    assert whole.text.count("data-pending") == 53


async def test_the_aside_shows_work_boards_and_ranges(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    ada = await at(cast, cast.ada)
    page = (await ada.get("/?range=7d")).is_status(200)
    page.has("Working now", "#1 Polish the mirror", "1 in progress", "7 days", "/metrics?range=7d", "/?range=1m")
    dan = (await (await at(cast, cast.dan)).get("/")).is_status(200).has("Telescope")
    dan.lacks('href="/boards/' + str(cast.other_board.id))


async def test_request_of_a_gateway_is_a_row_for_admins(cast: Cast) -> None:
    organization: dict[str, Any] = {"organization_id": cast.organization.id}
    gateway = await Gateway.create(**organization, name="Basement", url=INVENTED, workspace_root="~")
    asked = {"command": "git push", "kind": "exec", "allowed_decisions": ["allow-once", "deny"]}
    request = await GatewayRequest.create(
        **organization, gateway_id=gateway.id, kind="approval", external_id="r1", gateway_agent_id="main",
        agent_name="Main", action_type="gateway.exec", payload={"gateway_request": asked},
    )  # fmt: skip
    ben, cleo = await visitor(cast.app, cast.ben), await visitor(cast.app, cast.cleo)
    (await ben.get(f"/?peek=request:{request.id}")).is_status(200).has("Approve: Run a command: git push", "Basement")
    assert "git push" not in (await cleo.get("/")).text


async def test_open_pages_get_single_rows(cast: Cast) -> None:
    first, second, third = [await cast.ask() for _ in range(3)]
    ada = await at(cast, cast.ada)
    opened = (await ada.get("/")).is_status(200)
    live = unescape(opened.text.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch:
        (await cast.ada.patch(f"{cast.approvals}/{first['id']}", {"status": "approved"})).ok()
        await watch.until(f'hx-target="#need-approval-{first["id"]}" hx-swap="delete"')
        (await cast.ada.patch(f"{cast.approvals}/{second['id']}", {"status": "approved"})).ok()
        gone = await watch.until(f'hx-target="#need-approval-{second["id"]}" hx-swap="delete"')
        new = await cast.ask(cast.rigel)
        text = await watch.until(f'id="need-approval-{new["id"]}"')
    assert 'hx-target="#queue"' not in gone + text and third["id"] not in gone + text
    assert 'hx-target="#needs-answer" hx-swap="beforeend"' in text
    assert (await changed_behind(cast, ada, live)).count('hx-target="#queue"') == 1


async def test_row_that_goes_while_rights_change_is_told_of(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = [await cast.ask() for _ in range(2)]
    ada = await at(cast, cast.ada)
    live = unescape((await ada.get("/")).text.split('hx-sse:connect="')[1].split('"')[0])
    found: list[Any] = []

    async def find_and_change(*wanted: Any) -> Any:
        found.append(await find(*wanted))
        if len(found) == 2:  # the first is of the stream's opening
            lookups.recheck_local_streams()
        return found[-1]

    monkeypatch.setattr(regions, "find", find_and_change)
    async with ada.watching(live) as watch:
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        text = await watch.until(f'hx-target="#need-approval-{asked["id"]}" hx-swap="delete"')
    assert len(found) == 3 and 'hx-target="#queue"' not in text


async def test_row_that_goes_while_missed_signals_are_caught_up_with_is_told_of(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, _ = [await cast.ask() for _ in range(2)]
    ada = await at(cast, cast.ada)
    live = unescape((await ada.get("/")).text.split('hx-sse:connect="')[1].split('"')[0])
    await publish_signals([(cast.organization.id, {"needs_of": str(cast.ada.id)})])
    looked, third = 0, asyncio.Event()
    reached, decided = asyncio.Event(), asyncio.Event()

    async def find_in_order(*wanted: Any) -> Any:
        nonlocal looked
        looked += 1
        if looked == 2:  # the catching up reads what the news of the answer will be about
            reached.set()
            await decided.wait()
        elif looked == 3:
            third.set()
        return await find(*wanted)

    async def count_late(actor: Any) -> Any:
        if looked == 2:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(third.wait(), 0.5)
                await asyncio.sleep(0.3)
        return await count(actor)

    monkeypatch.setattr(regions, "find", find_in_order)
    monkeypatch.setattr(regions, "count", count_late)
    async with ada.watching(live) as watch:
        await asyncio.wait_for(reached.wait(), 20)
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        decided.set()
        await watch.until(f'hx-target="#need-approval-{asked["id"]}" hx-swap="delete"')


async def changed_behind(cast: Cast, ada: Visitor, live: str) -> str:
    """What a stream brings whose page has other rows than there are now: the whole list."""
    async with ada.watching(live) as watch:
        new = await cast.ask(cast.rigel)
        return await watch.until(f'id="need-approval-{new["id"]}"')


async def test_long_list_fills_up_as_it_is_answered(cast: Cast) -> None:
    counts = await put_needs(cast.board, cast.ada.id, 330)
    to_answer = sum(counts.get(kind.kind, 0) for kind in KINDS.values() if kind.group == "answer")
    ada = await at(cast, cast.ada)
    opened = (await ada.get("/")).is_status(200).has("330 wait", "Show all 330")
    shown = re.findall(r'data-need="(approval:[^"]+)"', opened.text)
    live = unescape(opened.text.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch:
        (await ada.with_htmx.post(f"/needs/{shown[0]}/answers", {"answer": "approve"})).is_status(204)
        news = await watch.until("Show all 329")
    assert news.count('class="need"') == 1 and 'hx-target="#queue"' not in news
    assert 'hx-target="#count-answer"' in news and f"{to_answer - 1}<" in news


async def test_list_costs_the_same_however_long_it_is(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mission_control.http.lookups.FRESH_SECONDS", 3600.0)  # however slow the machine is
    await put_needs(cast.board, cast.ada.id, 27)
    ada = await at(cast, cast.ada)
    counts = []
    for number in (0, 300):
        await put_needs(cast.board, cast.ada.id, number)
        await count_more(cast.organization.id)  # what is not counted for the figures yet is read from the log
        tries = []
        for _ in range(6):  # the first ones look up what is known afterwards
            with counted() as found:
                (await ada.get("/?all=1")).is_status(200)
            tries.append(len(found))
        counts.append(min(tries))
    assert counts[0] == counts[1]


async def test_times_are_written_where_the_reader_is(cast: Cast) -> None:
    await cast.ask(expires_at=times.wire(times.clock_now() + timedelta(days=400)))
    ada = await at(cast, cast.ada)
    (await ada.get("/")).has('data-zone="Europe/Zurich"', " CE").lacks(" UTC", " JST")
    await ada.post("/settings/profile", {"name": "Ada", "timezone": "Asia/Tokyo"})
    (await ada.get("/")).has('data-zone="Asia/Tokyo"', " JST").lacks(" UTC")


async def test_words_of_a_snooze_mean_the_readers_days(cast: Cast) -> None:
    names = [f"approval:{(await cast.ask())['id']}" for _ in range(3)]
    ada = await at(cast, cast.ada)  # in Zurich
    zone = times.named("Europe/Zurich")
    for word, name in (("tomorrow", names[0]), ("monday", names[1])):
        (await ada.post(f"/needs/{name}/snoozes", {"until": word})).is_status(303)
    until = {one["id"]: one["snoozed_until"] for one in (await cast.ada.get("/needs?include=snoozed")).ok()["items"]}
    local = [times.local(datetime.fromisoformat(until[name]).replace(tzinfo=None), zone) for name in names[:2]]
    assert [one.time() for one in local] == [time(9), time(9)]
    assert local[0].date() == times.today(zone) + timedelta(days=1) and local[1].weekday() == 0
    (await ada.get(f"/needs/{names[2]}")).has("Until tomorrow, 9:00").lacks("Show now")
    (await ada.get(f"/?show=snoozed&peek={names[0]}")).has("Show now", "data-snoozed", "back <time")


async def test_selection_is_snoozed_and_shown_again(cast: Cast) -> None:
    names = [f"approval:{(await cast.ask())['id']}" for _ in range(2)]
    ada = await at(cast, cast.ada)
    (await ada.with_htmx.get(f"/needs/selection?need={names[0]}&need={names[1]}")).has("Snooze 2", 'data-key="h"')
    seen = (await ada.with_htmx.post("/needs/snoozes", {"need": names, "until": "hour"})).is_status(204)
    toast = json.loads(seen.headers["HX-Trigger"])["toast"]
    assert toast["message"] == "Snoozed: 2."
    (await ada.get("/")).has("2 snoozed")
    await ada.with_htmx.post(toast["undo"]["action"], toast["undo"]["fields"])
    (await ada.get("/")).has(f'data-need="{names[0]}"', f'data-need="{names[1]}"').lacks("snoozed")
    (await ada.post("/needs/snoozes", {"need": names, "until": "soon"})).is_status(422)
    gone = await ada.with_htmx.post("/needs/snoozes", {"need": [*names, "approval:1"], "until": "change"})
    assert "Snoozed: 2. 1 was not" in gone.headers["HX-Trigger"]
