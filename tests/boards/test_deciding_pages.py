"""The page about who decides on a board, votes on pages, and who is asked while one is away."""

from datetime import timedelta
from html import unescape

from mission_control.core import times
from mission_control.core.times import travelled
from mission_control.needs import deadlines
from tests.cast import Cast
from tests.visitor import visitor


async def test_admin_sets_how_many_approve_and_who_is_asked(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/deciding"
    (await ada.get(f"/boards/{cast.board.id}/settings")).has(f'href="{page}"', "One person approves.", "Nobody else is")
    (await ada.get(page)).is_status(200).has("People who have to approve", "Ben", "Cleo").lacks("Dan")
    form = {
        "approvals_needed": "2",
        "programs_need_quorum": "true",
        "first_minutes": "30",
        "first_people": str(cast.ben.id),
        "first_rota": "",
        "then_minutes": "60",
        "then_people": [str(cast.ada.id), str(cast.cleo.id)],
        "then_rota": "week",
    }
    (await ada.post(page, form)).is_status(303)
    board = (await cast.ada.get(cast.home)).ok()
    assert (board["approvals_needed"], board["programs_need_quorum"]) == (2, True)
    assert [one["after_minutes"] for one in board["escalation"]["steps"]] == [30, 60]
    assert [one["rota"] for one in board["escalation"]["steps"]] == [None, "week"]
    shown = (await ada.get(f"/boards/{cast.board.id}/settings")).is_status(200)
    shown.has("2 people have to approve, also of programs and gateways.")
    shown.has("After 30 min without a look, Ben is asked.")
    shown.has(
        "Then after 1 h without a look, one of Ada and Cleo is asked, another one each week.", "Now it is the turn of "
    )
    (await ada.get(page)).has('value="30"', 'value="2"')
    (await ada.post(page, {"approvals_needed": "2"})).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["escalation"] is None


async def test_what_does_not_fit_comes_back_with_the_reason(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/deciding"
    refused = await ada.post(page, {"approvals_needed": "1", "first_people": str(cast.ben.id)})
    refused.is_status(422).has("Minutes without a look", "Fill this in.")
    nobody = await ada.post(page, {"approvals_needed": "1", "first_minutes": "5"})
    nobody.is_status(422).has('id="first-people-error">Choose at least one person.', 'value="5"')
    second = {"approvals_needed": "1", "then_minutes": "5", "then_people": str(cast.ben.id)}
    (await ada.post(page, second)).is_status(422).has("Choose who is asked first.")
    (await ada.post(page, {"approvals_needed": "5"})).is_status(422).has("Only 3 people can answer on this board.")
    stranger = {"approvals_needed": "1", "first_minutes": "5", "first_people": str(cast.eve.id)}
    (await ada.post(page, stranger)).is_status(422).has("cannot answer on this board")


async def test_member_changes_who_is_asked_and_not_how_many_approve(cast: Cast) -> None:
    cleo, page = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}/deciding"
    (await cleo.get(page)).is_status(200).has("Owners and admins change that.").lacks('name="approvals_needed"')
    (await cleo.post(page, {"first_minutes": "5", "first_people": str(cast.ben.id)})).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["escalation"]["steps"][0]["user_ids"] == [str(cast.ben.id)]
    (await cleo.post(page, {"approvals_needed": "2"})).is_status(403)
    (await (await visitor(cast.app, cast.dan)).get(page)).is_status(403)


async def test_vote_is_shown_and_taken_back_on_pages(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    asked = await cast.ask(cast.vega)
    ben, cleo = await visitor(cast.app, cast.ben), await visitor(cast.app, cast.cleo)
    url = f"/boards/{cast.board.id}/approvals/{asked['id']}"
    (await ben.get(url)).has("2 people have to approve", "Another person has to approve too.", "Approve:")
    form = {"decision": "approved", "substance": asked["substance"], "from": "row", "next": "/approvals"}
    given = (await ben.with_htmx.post(f"{url}/decisions", form)).is_status(204)
    assert "Another person has to, too." in given.headers["HX-Trigger"]
    (await ben.get(url)).has("1 of 2: Ben approved", "Take my approval back").lacks('value="approved"')
    (await cleo.get(url)).has("1 of 2: Ben approved", 'value="approved"').lacks("Take my approval back")
    (await ben.get("/")).lacks(f"need-approval-{asked['id']}")
    (await cleo.get("/")).has(f"need-approval-{asked['id']}", "1 of 2: Ben approved")
    (await ben.post(f"{url}/reopenings", {"next": "/approvals"})).is_status(303)
    (await ben.get(url)).has("2 people have to approve", 'value="approved"')
    (await ben.post(f"{url}/decisions", form)).is_status(303)
    (await cleo.post(f"{url}/decisions", form)).is_status(303)
    (await cleo.get(url)).has("2 of 2: Ben and Cleo approved")


async def test_vote_of_another_arrives_on_an_open_home(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    task = await cast.add_task(status="review")
    await cast.put(task, review_agent_id=cast.vega.id)
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    cleo = await visitor(cast.app, cast.cleo)
    live = unescape((await cleo.get("/")).text.split('hx-sse:connect="')[1].split('"')[0])
    async with cleo.watching(live) as home:
        (await cast.ben.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()
        await home.until("1 of 2: Ben approved")
        (await cast.ada.patch(cast.task(task), {"description": "Another thing."})).ok()
        await home.until("Ben approved before, which no longer counts")


async def test_answer_on_home_says_who_is_missing(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    asked = [await cast.ask(cast.vega) for _ in range(2)]
    ben = await visitor(cast.app, cast.ben)
    one, two = (f"approval:{each['id']}" for each in asked)
    given = await ben.with_htmx.post(f"/needs/{one}/answers", {"answer": "approve"})
    assert "Another person has to, too." in given.is_status(204).headers["HX-Trigger"]
    many = await ben.with_htmx.post("/needs/answers", {"need": [two], "answer": "approve"})
    assert "1 of them waits for others to approve, too." in many.is_status(204).headers["HX-Trigger"]


async def test_card_stays_until_the_last_person_approved(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    task = await cast.add_task(status="review")
    await cast.put(task, review_agent_id=cast.vega.id)
    ben, url = await visitor(cast.app, cast.ben), f"/boards/{cast.board.id}/tasks/{task['id']}"
    form = {"status": "done", "approve": "true"}
    moved = (await ben.with_htmx.post(f"{url}/moves", form)).is_status(204)
    assert "approved. Another person has to, too." in moved.headers["HX-Trigger"]
    (await ben.get(url)).has("1 of 2: Ben approved")
    cleo = await visitor(cast.app, cast.cleo)
    moved = (await cleo.with_htmx.post(f"{url}/moves", form)).is_status(204)
    assert "approved and moved to Done" in moved.headers["HX-Trigger"]
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"


async def test_who_asked_sees_that_others_approve(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    asked = await cast.ask(cast.ben, await cast.add_task())
    url = f"/boards/{cast.board.id}/approvals/{asked['id']}"
    ben = await visitor(cast.app, cast.ben)
    (await ben.get(url)).has("You asked, so others have to approve.").lacks('value="approved"')


async def test_absence_is_set_and_shown_where_somebody_was_asked(cast: Cast) -> None:
    ben = await visitor(cast.app, cast.ben)
    (await ben.get("/settings/profile")).has("Away until", "Meanwhile ask", "Cleo")
    past = {"away_until": "2020-01-01", "stand_in_id": ""}
    (await ben.post("/settings/away", past)).is_status(422).has("Choose a day that is still to come.")
    day = (times.clock_now() + timedelta(days=3)).date()
    form = {"away_until": day.isoformat(), "stand_in_id": str(cast.cleo.id)}
    assert (await ben.post("/settings/away", form)).leads_to == "/settings/profile?saved=away#away"
    (await ben.get("/settings/profile?saved=away")).has("while you are away", f'value="{day.isoformat()}"')
    step = {"after_minutes": 30, "user_ids": [str(cast.ben.id)]}
    (await cast.cleo.patch(cast.home, {"escalation": {"steps": [step]}})).ok()
    asked = await cast.ask(cast.vega)
    with travelled(timedelta(minutes=31)):
        await deadlines.end_due()
    ada = await visitor(cast.app, cast.ada)
    for page in ("/", "/approvals", f"/boards/{cast.board.id}/approvals/{asked['id']}"):
        seen = (await ada.get(page)).is_status(200)
        seen.has("Ben was asked, because nobody looked for 30 min", "Ben is away until", "; Cleo was asked")
    (await ben.post("/settings/away", {"away_until": "", "stand_in_id": ""})).is_status(303)
    assert (await cast.ben.get("/users/me")).ok()["away_until"] is None
