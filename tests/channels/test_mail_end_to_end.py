"""Mail by the running application: when it is sent without a device, what a digest says, and what is never sent."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from quart import Quart

from mission_control.boards.models import Board
from mission_control.channels.models import ReachMessage, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.people.models import Member, User
from mission_control.people.sign_in.first_run import LOCAL_EMAIL
from tests.cast import Cast, Person
from tests.channels import test_core
from tests.channels.conftest import settle
from tests.channels.fake_channel import Chat
from tests.deliveries import look_away, send_due
from tests.mail import Post, mail_server
from tests.many_needs import put_needs
from tests.things import hold
from tests.visitor import Visitor, visitor


@pytest.fixture
async def post(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    await look_away(monkeypatch)
    async with mail_server(app) as found:
        yield found


async def later(**time: float) -> None:
    with times.travelled(timedelta(**time)):
        await settle()


async def asked(cast: Cast, reason: str = "Tests are green.", **more: Any) -> str:
    """Vega asks for an approval; return its id."""
    own = {"lead_reasoning": reason, "reason": reason, "payload": {}}
    return str((await test_core.asked(cast, **own | more))["id"])


async def approve(cast: Cast, person: Person, id: str) -> None:
    (await person.post(f"{cast.home}/approvals/{id}/decisions", {"decision": "approved"})).ok()


def sent_to(post: Post, person: Person) -> list[EmailMessage]:
    return [one for one in post.mails if one["To"] == f"{person.name.lower()}@example.org"]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def choose(person: Person, **chosen: Any) -> None:
    (await person.call("PUT", "/users/me/reach", chosen)).ok()


async def quiet_now(cast: Cast, person: Person) -> None:
    """It is quiet for a person since an hour, and for two more."""
    await User.filter(id=person.id).update(timezone="UTC")
    now = times.clock_now()
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=2)
    await choose(person, quiet_from=f"{begins:%H:%M}", quiet_to=f"{ends:%H:%M}")


async def test_without_a_device_mail_is_sent_after_ten_minutes(cast: Cast, post: Post) -> None:
    await asked(cast)
    await later(minutes=9)
    assert post.mails == []
    await later(minutes=10, seconds=30)
    assert {one["To"] for one in post.mails} == {"ada@example.org", "ben@example.org", "cleo@example.org"}
    [mail] = sent_to(post, cast.ada)
    assert mail["Subject"] == "Approve: Deploy"
    for part in ("Tests are green.", "has waited for 10 min ", "Vega", "90 % sure", "Approve · Request changes"):
        assert part in text_of(mail)
    await later(hours=1)
    assert len(sent_to(post, cast.ada)) == 1


async def test_what_was_answered_in_time_is_not_sent(cast: Cast, post: Post) -> None:
    id = await asked(cast)
    await later(minutes=5)
    await approve(cast, cast.ben, id)
    await later(minutes=30)
    assert post.mails == []


async def test_what_was_answered_elsewhere_is_not_sent_again(cast: Cast, post: Post) -> None:
    id = await asked(cast)
    await later(minutes=11)
    await approve(cast, cast.ben, id)
    await later(hours=3)
    assert len(sent_to(post, cast.ada)) == 1
    sent = await ReachMessage.get(user_id=cast.ada.id)
    assert (sent.state, sent.ended_how) == ("elsewhere", f"{cast.ben.name} approved this.")


async def test_deadline_is_called_once_more_in_the_thread(cast: Cast, post: Post) -> None:
    ends = times.clock_now() + timedelta(hours=2)
    await asked(cast, decide_by=times.wire(ends), otherwise="send_back")
    await later(minutes=11)
    await later(minutes=106)
    first, second = sent_to(post, cast.ada)
    assert second["References"] == first["References"] == second["In-Reply-To"]
    assert second["Subject"] == f"Re: {first['Subject']}"
    assert "it ends soon" in text_of(second)


async def test_burst_is_one_mail(cast: Cast, post: Post) -> None:
    for number in range(4):
        await asked(cast, f"Reason {number}")
    await later(minutes=11)
    [mail] = sent_to(post, cast.ada)
    assert (mail["Subject"], mail["From"].addresses[0].display_name) == (
        "4 things wait for you",
        "Observatory (Mission Control)",
    )
    assert "Telescope · Reason 3" in text_of(mail)
    assert text_of(mail).count("Approve: Deploy") == 4
    link = re.search(r"https://mission.example.org(/reach/[\w-]+)", text_of(mail))
    assert link is not None
    assert (await (await visitor(cast.app, cast.ada)).get(link[1])).leads_to == "/"


async def test_mail_about_many_names_those_that_stop_agents_and_counts_the_others(cast: Cast, post: Post) -> None:
    await put_needs(await Board.get(id=cast.board.id), cast.ada.id, 200)
    await later(minutes=11)
    waiting = (await cast.ada.get("/needs")).ok()["total"]
    mail = sent_to(post, cast.ada)[-1]
    assert re.fullmatch(r"\d+ things wait for you", mail["Subject"]) and waiting > 50
    assert text_of(mail).count("/needs/") == 10
    assert re.search(r"\* and \d+ more", text_of(mail))
    assert len(post.sent[-1]) < 50_000


async def test_quiet_hours_end_with_one_mail_that_says_what_ended_and_how(cast: Cast, post: Post) -> None:
    await quiet_now(cast, cast.ada)
    first = await asked(cast, "Waits")
    second = await asked(cast, "Ends")
    await later(minutes=30)
    assert sent_to(post, cast.ada) == []
    assert len(sent_to(post, cast.ben)) == 2
    await approve(cast, cast.ben, second)
    await later(minutes=31)
    page = (await (await visitor(cast.app, cast.ada)).get("/settings/notifications/next")).is_status(200)
    page.has("Waits", first, "Ended without you", "Approve: Deploy", f"{cast.ben.name} approved this.").lacks(second)
    await later(hours=2, minutes=1)
    [mail] = sent_to(post, cast.ada)
    waits, ended = text_of(mail).split("Ended without you")
    assert mail["Subject"] == "1 thing waits for you"
    assert first in waits and "1 ended without you" in waits
    assert re.search(rf"Approve: Deploy \(\d\d:\d\d\)\s+{cast.ben.name} approved this\.", ended)
    await later(hours=3)
    assert len(sent_to(post, cast.ada)) == 1


async def test_quiet_hours_without_anything_end_without_a_mail(cast: Cast, post: Post) -> None:
    await quiet_now(cast, cast.ada)
    await later(minutes=30)
    await later(hours=2, minutes=1)
    assert post.mails == []


async def test_quiet_hours_in_which_all_was_answered_say_how(cast: Cast, post: Post) -> None:
    await quiet_now(cast, cast.ada)
    id = await asked(cast)
    await later(minutes=5)
    await approve(cast, cast.ben, id)
    await later(minutes=6)
    await later(hours=2, minutes=1)
    [mail] = sent_to(post, cast.ada)
    assert mail["Subject"] == "Nothing waits for you now"
    assert f"{cast.ben.name} approved this." in text_of(mail)


async def test_server_that_is_down_for_an_hour_gets_it_afterwards(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    await asked(cast)
    post.message = "451 4.3.2 System is not accepting network messages"
    for minutes in range(1, 60, 10):
        await later(minutes=minutes)
    sent = await ReachMessage.get(user_id=cast.ada.id)
    assert sent.state == "queued" and "not accepting network messages" in (sent.error or "")
    post.message = "250 OK"
    await later(minutes=90)
    assert len(sent_to(post, cast.ada)) == 1
    await sent.refresh_from_db()
    assert (sent.state, sent.error) == ("sent", None)


async def test_what_ended_while_the_server_was_down_never_leaves(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    id = await asked(cast)
    post.message = "451 4.3.2 Later"
    await later(minutes=1)
    await approve(cast, cast.ben, id)
    post.message = "250 OK"
    await later(minutes=90)
    assert post.mails == []
    assert (await ReachMessage.get(user_id=cast.ada.id)).state == "withdrawn"


async def test_refused_address_is_given_up_in_the_words_of_the_server(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    await asked(cast)
    post.recipient = "550 5.1.1 No such user"
    await later(minutes=1)
    sent = await ReachMessage.get(user_id=cast.ada.id)
    assert sent.state == "failed" and "No such user" in (sent.error or "")


async def test_mail_of_choice_comes_at_once(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    await asked(cast)
    await later(seconds=30)
    assert [one["To"] for one in post.mails] == ["ada@example.org"]


async def test_device_is_first_and_mail_only_while_nobody_has_looked(cast: Cast, post: Post, chat: Chat) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await later(seconds=30)
    assert len(chat.channel.messages("ada")) == 1 and post.mails == []
    [message] = await ReachMessage.filter(user_id=cast.ada.id)
    await asked(cast, "Another")
    await later(minutes=2)
    await (await visitor(cast.app, cast.ada)).get(f"/reach/{message.id}")
    await later(minutes=13)
    [mail] = sent_to(post, cast.ada)
    assert "Another" in text_of(mail) and "you had not seen it for 10 min." in text_of(mail)


async def test_stop_link_of_a_mail_ends_mail_to_its_person(cast: Cast, post: Post) -> None:
    await asked(cast)
    await later(minutes=11)
    header = sent_to(post, cast.ada)[0]["List-Unsubscribe"]
    path = header.strip("<>").removeprefix("https://mission.example.org")
    (await Visitor(cast.app).post_from(path, {"List-Unsubscribe": "One-Click"})).is_status(200)
    await asked(cast, "Another")
    await later(minutes=30)
    assert len(sent_to(post, cast.ada)) == 1 and len(sent_to(post, cast.ben)) == 2


async def test_mail_that_was_planned_before_it_was_stopped_does_not_leave(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    await asked(cast)
    post.message = "451 4.3.2 Later"
    await later(minutes=1)
    await choose(cast.ada, mode="mail", mail=False)
    post.message = "250 OK"
    await later(minutes=90)
    assert sent_to(post, cast.ada) == []


async def test_link_of_a_mail_leads_to_the_need_as_it_was_shown(cast: Cast, post: Post) -> None:
    id = await asked(cast)
    await later(minutes=11)
    link = re.search(r"https://mission.example.org(/reach/[\w-]+)", text_of(sent_to(post, cast.ada)[0]))
    assert link is not None
    seen = await (await visitor(cast.app, cast.ada)).get(link[1])
    assert seen.leads_to.startswith(f"/needs/approval:{id}?shown=")
    (await (await visitor(cast.app, cast.ben)).get(link[1])).is_status(404)
    need = await ReachNeed.get(user_id=cast.ada.id)
    assert need.seen_at is not None


async def test_test_is_a_real_mail_and_its_failure_is_in_the_words_of_the_server(cast: Cast, post: Post) -> None:
    (await cast.ada.post("/users/me/reach/mail/tests")).ok()
    [mail] = sent_to(post, cast.ada)
    assert mail["Subject"] == "Mission Control reaches you here"
    assert "Open:\r\nhttps://mission.example.org/settings/notifications" in text_of(mail)
    post.recipient = "550 5.7.1 Blocked by policy"
    refused = (await cast.ada.post("/users/me/reach/mail/tests")).ok()
    assert not refused["ok"] and "Blocked by policy" in refused["words"]
    post.recipient, post.message = "250 OK", "452 4.2.2 Mailbox full"
    full = (await cast.ada.post("/users/me/reach/mail/tests")).ok()
    assert not full["ok"] and "Mailbox full" in full["words"]


async def test_words_of_an_agent_stand_in_a_mail_to_their_end(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    await asked(cast, f"{'Tests are green. ' * 60}\nThen I drop the database.")
    await later(minutes=1)
    [mail] = sent_to(post, cast.ada)
    assert "\nThen I drop the database." in text_of(mail).replace("\r\n", "\n")


async def test_invented_address_of_the_local_owner_gets_no_mail(cast: Cast, post: Post) -> None:
    await User.filter(id=cast.ada.id).update(email=LOCAL_EMAIL)
    await asked(cast)
    await later(minutes=11)
    assert post.mails and LOCAL_EMAIL not in [one["To"] for one in post.mails]
    refused = (await cast.ada.post("/users/me/reach/mail/tests")).ok()
    assert not refused["ok"] and "no mail address" in refused["words"]


async def test_what_expired_while_the_server_was_down_never_leaves(cast: Cast, post: Post) -> None:
    await choose(cast.ada, mode="mail")
    ends = times.clock_now() + timedelta(minutes=30)
    await asked(cast, decide_by=times.wire(ends), otherwise="remind")
    post.message = "451 4.3.2 Later"
    await later(minutes=1)
    post.message = "250 OK"
    with times.travelled(timedelta(minutes=40)):
        assert await send_due()
    assert post.mails == []
    assert (await ReachMessage.get(user_id=cast.ada.id)).state == "expired"


async def test_page_behind_a_mail_says_what_changed_since(cast: Cast, post: Post) -> None:
    task = await cast.add_task(title="Ship it")
    await asked(cast, task_ids=[task["id"]])
    await later(minutes=11)
    (await cast.ada.patch(f"{cast.home}/tasks/{task['id']}", {"description": "And drop the database."})).ok()
    link = re.search(r"https://mission.example.org(/reach/[\w-]+)", text_of(sent_to(post, cast.ada)[0]))
    assert link is not None
    ada = await visitor(cast.app, cast.ada)
    page = await ada.get((await ada.get(link[1])).leads_to)
    page.is_status(200).has("ook again")


async def test_person_without_an_organization_of_the_need_reads_nothing_by_an_old_mail(cast: Cast, post: Post) -> None:
    await asked(cast)
    await later(minutes=11)
    link = re.search(r"https://mission.example.org(/reach/[\w-]+)", text_of(sent_to(post, cast.cleo)[0]))
    assert link is not None
    member = await Member.get(user_id=cast.cleo.id)
    (await cast.ada.delete(f"/organizations/me/members/{member.id}")).ok()
    cleo = await visitor(cast.app, cast.cleo)
    seen = await cleo.get(link[1])
    while seen.status == 303:
        seen = await cleo.get(seen.leads_to)
    seen.lacks("Tests are green.")


async def test_mail_says_until_when_a_worker_waits_where_its_reader_is(cast: Cast, post: Post) -> None:
    await User.filter(id=cast.ada.id).update(timezone="Asia/Kathmandu")
    await ReachSettings.create(user_id=cast.ada.id, has_quiet=False)  # it may be night there now
    ends = times.clock_now() + timedelta(minutes=100)
    held = await hold(cast.vega, until=times.iso(ends))
    await later(minutes=11)
    [mail] = sent_to(post, cast.ada)
    there = f"{times.local(ends, times.named('Asia/Kathmandu')):%H:%M}"
    assert f"{there} +0545" in text_of(mail) and "waits for its limit to reset" in str(mail["Subject"])
    (await cast.vega.delete(f"/agent/holds/{held['id']}")).ok()
    await later(hours=1)
    assert len(sent_to(post, cast.ada)) <= 2, "it went on: nothing is asked any more"
