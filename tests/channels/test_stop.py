"""The link in a mail that ends mail: by its page, by a mail program, for its person alone, and by nobody's guess."""

from uuid import uuid4

import pytest
from quart import Quart

from mission_control.channels.devices.unsubscribing import stop_path
from mission_control.channels.models import ReachSettings
from mission_control.people.models import AccountEvent
from tests.cast import Cast, Person
from tests.visitor import Visitor

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def path_of(app: Quart, person: Person) -> str:
    async with app.app_context():
        return stop_path(person.id)


async def mail_of(person: Person) -> bool:
    chosen = await ReachSettings.get_or_none(user_id=person.id)
    return chosen is None or chosen.mail


async def test_opening_the_link_changes_nothing(cast: Cast) -> None:
    path = await path_of(cast.app, cast.ada)
    for _ in range(3):  # as scanners of mail do
        (await Visitor(cast.app).get(path)).is_status(200).has("No more mail?", "End mail")
    assert await mail_of(cast.ada)


async def test_button_of_the_page_ends_mail_for_its_person_alone(cast: Cast) -> None:
    (await Visitor(cast.app).post(await path_of(cast.app, cast.ada))).is_status(200).has("You get no more mail")
    assert not await mail_of(cast.ada)
    assert await mail_of(cast.ben)
    [entry] = await AccountEvent.filter(kind="account.mail_stopped")
    assert entry.user_id == cast.ada.id


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_mail_program_ends_it_by_one_press_without_a_session(cast: Cast, headers: dict[str, str]) -> None:
    seen = await Visitor(cast.app).post_from(await path_of(cast.app, cast.ada), ONE_CLICK, **headers)
    assert (seen.status, seen.leads_to) == (200, "")
    assert not await mail_of(cast.ada)


async def test_second_press_changes_nothing(cast: Cast) -> None:
    path = await path_of(cast.app, cast.ada)
    for _ in range(2):
        (await Visitor(cast.app).post(path, ONE_CLICK)).is_status(200)
    assert await AccountEvent.filter(kind="account.mail_stopped").count() == 1


async def test_other_choices_stay(cast: Cast) -> None:
    await ReachSettings.create(user_id=cast.ada.id, next_after=30, mode="mail")
    await Visitor(cast.app).post(await path_of(cast.app, cast.ada))
    chosen = await ReachSettings.get(user_id=cast.ada.id)
    assert (chosen.mail, chosen.mode, chosen.next_after) == (False, "mail", 30)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_links_that_are_not_ours_end_nothing(cast: Cast, method: str) -> None:
    ada = await path_of(cast.app, cast.ada)
    ben = await path_of(cast.app, cast.ben)
    begins = len("/reach/off/")
    wrong = [
        ada[:-1] + ("A" if ada[-1] != "A" else "Q"),
        ada[:begins] + ben[begins : begins + 21] + ada[begins + 21 :],  # the person of one, the mark of the other
        ada[:40],
        "/reach/off/x",
        "/reach/off/%F0%9F%92%A9",
        f"/reach/off/{cast.ada.id}",
    ]
    nobody = Visitor(cast.app)
    for path in wrong:
        seen = await (nobody.get(path) if method == "GET" else nobody.post(path, ONE_CLICK))
        assert seen.status == 404, path
    assert await mail_of(cast.ada) and await mail_of(cast.ben)
    assert await AccountEvent.filter(kind="account.mail_stopped").count() == 0


async def test_link_of_a_deleted_person_is_dead(cast: Cast) -> None:
    async with cast.app.app_context():
        path = stop_path(uuid4())
    (await Visitor(cast.app).post(path)).is_status(404)


async def test_guesses_are_limited(cast: Cast) -> None:
    nobody = Visitor(cast.app)
    found = {(await nobody.post(f"/reach/off/{number:060}")).status for number in range(30)}
    assert found == {404, 429}


async def test_link_opens_no_other_page(cast: Cast) -> None:
    """It is no session: whoever finds a mail reads and answers nothing with it."""
    seen = await Visitor(cast.app).post(await path_of(cast.app, cast.ada))
    assert "Set-Cookie" not in seen.headers
