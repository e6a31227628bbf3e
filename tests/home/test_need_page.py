"""The page of one need: what it says, answering there, the next one, and two people at once."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from mission_control.channels.models import Device
from mission_control.core import times
from mission_control.home.needs.after import is_known
from mission_control.needs.kinds import KINDS
from mission_control.people.models import Member, User
from mission_control.web.inline_assets import policy
from tests.cast import Cast
from tests.home.test_home_pages import ask_question, at
from tests.hooks import called, hooks
from tests.many_needs import put_needs
from tests.runs.test_permissions import GIVEN, asking, decision_of, request
from tests.visitor import Seen

# Their secrets and addresses are invented, and loops of the application try them.
OUTSIDE = {"outgoing_webhook", "channel", "device"}


def live_of(page: Seen) -> str:
    return unescape(page.text.split('hx-sse:connect="')[1].split('"')[0])


def big(page: Seen) -> int:
    """How many big answers a page has."""
    return page.text.partition("<body")[2].count('data-kind="primary"')


def named(asked: dict[str, Any]) -> str:
    return f"/needs/approval:{asked['id']}"


async def test_a_command_is_asked_first_and_whole_with_one_big_answer(cast: Cast) -> None:
    ada = await at(cast, cast.ada)
    command = f'psql "$SHOP_DB" -c "{"CREATE INDEX page_price ON page (price); " * 40}"'
    async with asking(cast, request(given={"command": command, "description": "It takes 2 ms then."})) as (asked, _):
        page = (await ada.get(named(asked))).is_status(200)
        page.has("Vega asks to run a command", "It takes 2 ms then.", "Medium risk", "Claude Code", "1 of 1")
        page.has("Vega goes on.", "Nothing is ever allowed by waiting", "<title>Vega asks to run a command")
        assert unescape(page.text).count(command) == 1 and big(page) == 1
        assert page.text.index("page_price") < page.text.index("It takes 2 ms then.") < page.text.index("Allow once")
        assert 'value="approve" data-kind="primary"' in " ".join(page.text.split())


async def test_what_is_dangerous_has_no_big_answer(cast: Cast) -> None:
    ada = await at(cast, cast.ada)
    async with asking(cast, request(given={"command": "rm -rf ./uploads"})) as (asked, _):
        page = (await ada.get(named(asked))).has("rm -rf ./uploads", "High risk", "Allow once", "Deny")
        assert big(page) == 0
        assert page.text.index("<span>Deny") < page.text.index("<span>Allow once")


async def test_an_answer_shows_what_becomes_of_it_and_the_next_need(cast: Cast) -> None:
    ada = await at(cast, cast.ada)
    async with asking(cast) as (asked, waiting):
        other = await cast.ask(cast.rigel)
        form = (await ada.get(named(asked))).has("1 of 2").form(named(asked))
        sent = (await ada.post(named(asked), {**form, "answer": "approve"})).is_status(303)
        assert sent.leads_to.startswith(named(other)) and decision_of(await waiting) == {"behavior": "allow"}
        page = (await ada.get(sent.leads_to)).is_status(200)
        page.has(
            "Allowed once.", "Vega goes on.", "1 waits", f'id="need-approval-{other["id"]}"', "Stop Vega", "1 of 1"
        )
        page.lacks("Undo")
    done = await ada.post(named(other), {"answer": "approve"})
    page = (await ada.get(done.leads_to)).has("Approved.", "Nothing else waits for you.", "Undo")
    await ada.post("/needs/undos", page.form("/needs/undos"))
    (await ada.get(named(other))).has("1 of 1", "Approve").lacks("Undo")


async def test_address_that_says_more_than_was_answered_is_not_believed(cast: Cast) -> None:
    """An agent could write a link by which a person takes for approved what waits for them."""
    await cast.ask(cast.vega)
    second = await cast.ask(cast.vega, action_type="deploy")
    ada = await at(cast, cast.ada)
    for answer in ("approve", "no-such-answer"):
        page = await ada.get(f"/needs/approval:{second['id']}?after=approval:{second['id']}&answer={answer}")
        page.lacks("Approved.", "It has ended").has("Approve")


async def test_open_page_goes_on_within_one_response(cast: Cast) -> None:
    first, second = await cast.ask(), await cast.ask(cast.rigel)
    ada = (await at(cast, cast.ada)).with_htmx
    sent = (await ada.post(named(first), {"answer": "approve"})).is_status(200)
    sent.has("Approved.", f'id="need-approval-{second["id"]}"', "<title>").lacks("<!doctype", "<style")
    assert sent.headers["HX-Push-Url"].startswith(named(second))


async def test_missing_words_are_asked_for_and_kept(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    for browser in (ada, ada.with_htmx):
        seen = (await browser.post(named(asked), {"answer": "send_back"})).is_status(422)
        seen.has("What should change?", 'aria-invalid="true"', "open")
    await ada.post(named(asked), {"answer": "send_back", "note": "Shorter."})
    read = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (read["decision"], read["note"]) == ("changes_requested", "Shorter.")


async def test_question_has_its_options_and_takes_own_words(cast: Cast) -> None:
    asked = await ask_question(cast)
    ada = await at(cast, cast.ada)
    path = f"/needs/question:{asked}"
    page = (await ada.get(path)).has("Which lens?", "The wide one", "Atlas orders it.", "Atlas waits for stock.")
    assert big(page) == 1
    sent = await ada.post(path, {**page.form(path), "answer": "option:long", "note": ""})
    (await ada.get(sent.leads_to)).has("Answered: The long one.", "Nothing else waits")
    assert (await cast.ada.get(f"{cast.home}/questions/{asked}")).ok()["state"] == "answered"


async def test_what_changed_since_is_looked_at_again_and_words_are_kept(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    asked = await cast.ask(cast.vega, task)
    ada = await at(cast, cast.ada)
    page = await ada.get(named(asked))
    form = page.form(named(asked))
    assert form["substance"][0]
    (await cast.ada.patch(cast.task(task), {"title": "Polish both mirrors"})).ok()
    for browser in (ada, ada.with_htmx):
        again = await browser.post(named(asked), {**form, "answer": "send_back", "note": "Not so shiny."})
        again.is_status(409).has(
            "This changed while you looked.", "Polish both mirrors", "Not so shiny.", "Request changes"
        )
    (await ada.get(f"{named(asked)}?shown={form['substance'][0].replace(' ', '+')}")).has("Changed since you were sent")
    form = again.form(named(asked))
    (await ada.get(f"{named(asked)}?shown={form['substance'][0].replace(' ', '+')}")).lacks("Changed since")
    (await ada.post(named(asked), {**form, "answer": "send_back"})).is_status(303)
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["note"] == "Not so shiny."


async def test_the_second_of_two_people_reads_who_was_faster(cast: Cast) -> None:
    asked, other = await cast.ask(), await cast.ask(cast.rigel)
    ada, ben = await at(cast, cast.ada), await at(cast, cast.ben)
    page = await ada.get(named(asked))
    async with ada.watching(live_of(page)) as watch:
        await ben.post(named(asked), {"answer": "approve"})
        text = await watch.until("Ben approved this")
    assert "<s>" in text and 'hx-target="#one"' in text and f"/needs/approval:{other['id']}" in text
    late = await ada.post(named(asked), {**page.form(named(asked)), "answer": "send_back", "note": "No."})
    late.is_status(409).has("Ben approved this", "<s>", "No.", "was not sent")
    late.lacks(f'action="{named(asked)}"')
    (await ada.get(named(asked))).is_status(200).has("Ben approved this")
    told = await ada.get(f"{named(other)}?after=approval:{asked['id']}&answer=reject")
    told.has("Ben approved this").lacks("Rejected")
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "approved"


async def test_one_of_two_who_must_approve_waits_for_the_other(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    asked = await cast.ask(cast.vega)
    ada, ben = await at(cast, cast.ada), await at(cast, cast.ben)
    page = (await ben.get(named(asked))).has("2 people have to approve", "Another person has to approve too.")
    sent = await ben.post(named(asked), {**page.form(named(asked)), "answer": "approve"})
    done = (await ben.get(sent.leads_to)).has("Approved.", "Another person has to, too.", "Undo").lacks("Stop Vega")
    (await ben.get(named(asked))).has("This waits for 1 other person.").lacks("<s>", f'action="{named(asked)}"')
    (await ada.get(named(asked))).has("1 of 2", "Ben")
    await ben.post("/needs/undos", done.form("/needs/undos"))
    page = await ben.get(named(asked))
    await ben.post(named(asked), {**page.form(named(asked)), "answer": "approve"})
    sent = await ada.post(named(asked), {"answer": "approve"})
    (await ada.get(sent.leads_to)).has("Approved.").lacks("Another person")
    (await ben.get(named(asked))).has("<s>", "Ada approved this")


async def test_answer_about_a_device_of_ones_own(cast: Cast) -> None:
    long_ago = times.clock_now() - timedelta(hours=1)
    device = await Device.create(
        user_id=cast.ada.id, kind="ntfy", who="x", address="x", label="Ada's phone", last_error="gone",
        failed_at=long_ago, ended_at=long_ago,
    )  # fmt: skip
    path = f"/needs/device:{device.id}"
    ada = await at(cast, cast.ada)
    page = (await ada.get(path)).has("Ada&#39;s phone", "Remove it", "1 of 1")
    (await (await at(cast, cast.ben)).get(path)).is_status(404)
    sent = await ada.post(path, {**page.form(path), "answer": "remove"})
    (await ada.get(sent.leads_to)).has("Removed.", "Nothing else waits for you.")
    await device.delete()
    (await ada.get(path)).is_status(404)
    assert not await is_known(await cast.ada.actor(), f"device:{device.id}")


async def test_link_works_wherever_its_reader_was_last(cast: Cast) -> None:
    asked = await cast.ask()
    await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ada.id, role="owner")
    await User.filter(id=cast.ada.id).update(active_organization_id=cast.elsewhere.id)
    ada = await at(cast, cast.ada)
    (await ada.get("/")).lacks(f'data-need="approval:{asked["id"]}"')
    page = (await ada.get(named(asked))).is_status(200).has("1 of 1")
    async with ada.watching(live_of(page)) as watch:
        other = await cast.ask()
        assert 'hx-target="#one"' not in await watch.until("1 of 2")
        (await cast.ben.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        await watch.until("Ben approved this")
    sent = (await ada.post(named(other), {"answer": "approve"})).is_status(303)
    (await ada.get(sent.leads_to)).has("Approved.", "Nothing else waits")


async def test_news_of_others_send_the_number_alone(cast: Cast) -> None:
    asked = await cast.ask()
    ada = await at(cast, cast.ada)
    async with ada.watching(live_of(await ada.get(named(asked)))) as watch:
        await cast.ask(cast.rigel)
        text = await watch.until("1 of 2")
    assert 'hx-target="#one"' not in text and "nav-boards" not in text


async def test_at_the_keyboard_somebody_was_faster(cast: Cast) -> None:
    ada = await at(cast, cast.ada)
    async with asking(cast) as (asked, waiting):
        async with ada.watching(live_of(await ada.get(named(asked)))) as watch:
            await hooks(cast.vega, called("PostToolUse", "Bash", "1", **GIVEN))
            assert await waiting == {}
            await watch.until("Answered at the keyboard")


async def test_put_off_goes_on_to_the_next(cast: Cast) -> None:
    first, second = await cast.ask(), await cast.ask(cast.rigel)
    ada = await at(cast, cast.ada)
    (await ada.get(named(first))).has("Until tomorrow, 9:00", f'href="{named(second)}"')
    sent = (await ada.post(f"{named(first)}/later", {"until": "hour"})).is_status(303)
    assert sent.leads_to == named(second)
    (await ada.get(named(first))).has("Show now", "1 waits")
    (await ada.post(f"{named(second)}/later", {"until": "hour"})).is_status(303)
    (await ada.post(f"{named(second)}/later", {"until": "soon"})).is_status(422)


async def test_only_those_who_may_answer_see_it(cast: Cast) -> None:
    asked = await cast.ask()
    for person in (cast.dan, cast.eve):
        somebody = await at(cast, person)
        (await somebody.get(named(asked))).is_status(404)
        (await somebody.get(f"{named(asked)}/live")).is_status(404)
        (await somebody.post(named(asked), {"answer": "approve"})).is_status(404)
    ada = await at(cast, cast.ada)
    for odd in ("approval:gone", "nothing:1", "x"):
        (await ada.get(f"/needs/{odd}")).is_status(404)
    (await ada.get(f"{named(asked)}?after=approval:gone&answer=approve")).is_status(200).lacks("Approved.")


async def test_page_stands_alone_and_its_policy_names_what_is_in_it(cast: Cast) -> None:
    asked = await cast.ask()
    page = await (await at(cast, cast.ada)).get(named(asked))
    names = ("js/theme-init.js", "css/alone/need.css")
    assert page.headers["Content-Security-Policy"] == policy(names) and policy(names).count("'sha256-") == 2
    assert "unsafe" not in policy(names)
    assert len(re.findall(r'<script [^>]*src=|rel="(?:stylesheet|preload|manifest)"', page.text)) == 2
    page.lacks("sprite.svg").has("viewport-fit=cover", "data-zone")


@pytest.mark.parametrize("answered", [False, True], ids=["waits", "ended"])
async def test_every_kind_has_its_page(cast: Cast, answered: bool) -> None:
    await put_needs(cast.board, cast.ada.id, len(KINDS))
    ada = await at(cast, cast.ada)
    found = (await cast.ada.get("/needs")).ok()["items"]
    assert len({one["kind"] for one in found}) > 9
    for one in found:
        path = f"/needs/{one['id']}"
        page = (await ada.get(path)).is_status(200)
        if one["kind"] in OUTSIDE:
            continue
        assert all(answer["label"] in unescape(page.text) for answer in one["answers"]), one["kind"]
        if not answered or not (way := next((a for a in one["answers"] if a["operation"]), None)):
            continue
        given = {"answer": way["id"], "note": "Because." if way["note"] == "required" else ""}
        sent = (await ada.post(path, {**page.form(path), **given})).is_status(303)
        (await ada.get(sent.leads_to)).is_status(200).has("one-after")
        (await ada.get(path)).is_status(200)
