"""The link in a message: it leads its person to what it was about, shows nobody else anything, and answers nothing."""

from typing import Any
from uuid import UUID, uuid4

from mission_control.channels.models import Device, ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.core import times
from mission_control.events.models import Event
from tests.cast import Cast, Person
from tests.channels.fake_channel import Chat
from tests.visitor import Visitor, give_password, visitor

SUBJECT = UUID("0192a1b2-0000-7000-8000-000000000001")


async def message_for(cast: Cast, person: Person | None, needs: int = 1, **more: Any) -> str:
    """Put a message that was sent; return the address of its link."""
    fields: dict[str, Any] = {
        "organization_id": cast.organization.id,
        "kind": "mail",
        "why": "first",
        "state": "sent",
        "title": "x",
    }
    sent = await ReachMessage.create(**fields | {"user_id": person.id if person else None} | more)
    for number in range(needs):
        await ReachMessageNeed.create(
            message_id=sent.id, position=number, kind="question", subject_id=SUBJECT, substance="s1", answers=[]
        )
    return f"/reach/{sent.id}"


async def waiting_for(cast: Cast, person: Person, substance: str = "s1") -> ReachNeed:
    return await ReachNeed.create(
        reader_id=person.id, user_id=person.id, organization_id=cast.organization.id, kind="question",
        subject_id=SUBJECT, version="v", substance=substance, since=times.clock_now(),
    )  # fmt: skip


async def test_it_leads_to_the_need_as_it_was_shown_and_marks_it_seen(cast: Cast) -> None:
    path, need = await message_for(cast, cast.ada), await waiting_for(cast, cast.ada)
    ada = await visitor(cast.app, cast.ada)
    id = path.removeprefix("/reach/")
    assert (await ada.get(path)).leads_to == f"/needs/question:{SUBJECT}?shown=s1&message={id}"
    sent = await ReachMessage.get(id=id)
    assert sent.state == "seen" and sent.seen_at is not None
    await need.refresh_from_db()
    assert need.seen_at is not None


async def test_opening_answers_nothing(cast: Cast) -> None:
    path = await message_for(cast, cast.ada)
    before = await Event.all().count()
    ada = await visitor(cast.app, cast.ada)
    for _ in range(3):
        (await ada.get(path)).is_status(303)
    assert await Event.all().count() == before


async def test_what_changed_since_is_still_to_be_seen(cast: Cast) -> None:
    path, need = await message_for(cast, cast.ada), await waiting_for(cast, cast.ada, "s2")
    await (await visitor(cast.app, cast.ada)).get(path)
    await need.refresh_from_db()
    assert need.seen_at is None


async def test_nobody_is_shown_nothing_and_comes_back_after_signing_in(cast: Cast) -> None:
    await give_password(cast.ada)
    path, need = await message_for(cast, cast.ada), await waiting_for(cast, cast.ada)
    seen = await Visitor(cast.app).get(path)
    assert seen.leads_to == f"/sign-in?next={path}"
    assert "question" not in seen.text
    await need.refresh_from_db()
    assert need.seen_at is None
    assert (await ReachMessage.get(id=path.removeprefix("/reach/"))).state == "sent"


async def test_stolen_link_shows_others_nothing(cast: Cast) -> None:
    path, need = await message_for(cast, cast.ada), await waiting_for(cast, cast.ada)
    for person in (cast.ben, cast.cleo, cast.eve):
        seen = (await (await visitor(cast.app, person)).get(path)).is_status(404)
        assert str(SUBJECT) not in seen.text
    await need.refresh_from_db()
    assert need.seen_at is None


async def test_unknown_messages_are_not_found(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/reach/{uuid4()}")).is_status(404)
    (await ada.get("/reach/x")).is_status(404)


async def test_message_about_many_leads_to_home_and_a_test_to_the_settings(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    assert (await ada.get(await message_for(cast, cast.ada, needs=3))).leads_to == "/"
    assert (await ada.get(await message_for(cast, cast.ada, why="digest"))).leads_to == "/"
    assert (await ada.get(await message_for(cast, cast.ada, 0, why="test"))).leads_to == "/settings/notifications"


async def test_message_of_a_team_is_for_those_who_see_its_board(cast: Cast) -> None:
    team = await Device.create(board_id=cast.board.id, kind="slack", address="x", label="#ops")
    path = await message_for(cast, None, kind="slack", device_id=team.id, why="team")
    assert f"/needs/question:{SUBJECT}" in (await (await visitor(cast.app, cast.ada)).get(path)).leads_to
    (await (await visitor(cast.app, cast.eve)).get(path)).is_status(404)
    assert (await ReachMessage.get(id=path.removeprefix("/reach/"))).state == "sent"


async def test_how_a_message_ended_stays(cast: Cast) -> None:
    path = await message_for(cast, cast.ada, state="elsewhere")
    await (await visitor(cast.app, cast.ada)).get(path)
    assert (await ReachMessage.get(id=path.removeprefix("/reach/"))).state == "elsewhere"


async def test_page_of_a_need_counts_as_seen(cast: Cast, chat: Chat) -> None:
    asked = await cast.ask()
    rows = []
    for person, substance in ((cast.ada, asked["substance"]), (cast.ben, asked["substance"]), (cast.cleo, "s1")):
        rows.append(await waiting_for(cast, person, substance))
        await ReachNeed.filter(id=rows[-1].id).update(kind="approval", subject_id=UUID(asked["id"]))
    (await (await visitor(cast.app, cast.ada)).get(f"/needs/approval:{asked['id']}")).is_status(200)
    (await (await visitor(cast.app, cast.cleo)).get(f"/needs/approval:{asked['id']}")).is_status(200)
    for row in rows:
        await row.refresh_from_db()
    assert [row.seen_at is not None for row in rows] == [True, False, False]
