"""Joining by an invitation's link: sign up, sign in, accept; used, expired and foreign links say so."""

from datetime import timedelta
from typing import Any

from mission_control.core import times
from mission_control.people.models import AccountEvent, Invite, Member, User
from tests.cast import Cast
from tests.visitor import PASSWORD, Visitor, give_password, visitor

FAY = {"name": "Fay", "password": PASSWORD, "timezone": "Europe/Zurich"}


async def link(cast: Cast, email: str = "fay@example.org", **more: Any) -> str:
    """The path of a new invitation."""
    made = (await cast.ada.post("/organizations/me/invites", {"invited_email": email, **more})).ok()
    return f"/invitations/{made['token']}"


async def test_invited_person_signs_up_and_lands_on_the_board(cast: Cast) -> None:
    await give_password(cast.ada)
    access = [{"board_id": str(cast.board.id), "can_write": True}]
    path, fay = await link(cast, board_access=access), Visitor(cast.app)
    (await fay.get(path)).is_status(200).has(
        "Join Observatory", "Ada invites you", "You can change the board Telescope.", "fay@example.org", "Your name"
    )
    (await fay.post(path, FAY | {"password": "short"})).is_status(422).has("Use at least 10 characters.", 'value="Fay"')
    joined = await fay.post(path, FAY)
    assert (joined.status, joined.leads_to) == (303, cast.home)
    fay = await fay.remembering(joined)
    (await fay.get(cast.home)).is_status(200).has("Telescope", "quick-add")
    user = await User.get(email="fay@example.org")
    assert (user.name, user.timezone) == ("Fay", "Europe/Zurich")
    assert await AccountEvent.filter(kind="account.created", user_id=user.id).count() == 1
    (await fay.get(path)).is_status(200).has("This invitation was used")
    (await Visitor(cast.app).post(path, FAY | {"name": "Gus"})).is_status(409).has("used already")


async def test_invitation_names_up_to_three_boards(cast: Cast) -> None:
    boards, page = [cast.board.id, cast.other_board.id], Visitor(cast.app)
    for name in ("Lens", "Mirror"):
        boards.append(
            (await cast.ada.post("/boards", {"name": name, "slug": name.lower(), "description": name})).ok()["id"]
        )
    named = {2: "the boards Dome and Telescope", 3: "the boards Dome, Lens and Telescope", 4: "4 boards"}
    for count, words in named.items():
        access = [{"board_id": str(board), "can_write": True} for board in boards[:count]]
        path = await link(cast, f"fay{count}@example.org", board_access=access)
        (await page.get(path)).has(f"You can change {words}.")


async def test_invited_person_begins_where_something_waits(cast: Cast) -> None:
    await give_password(cast.ada)
    await cast.ask(None, await cast.add_task())
    path = await link(cast, board_access=[{"board_id": str(cast.board.id), "can_write": True}])
    joined = await Visitor(cast.app).post(path, FAY)
    assert (joined.status, joined.leads_to) == (303, "/")


async def test_person_without_boards_reads_who_can_share_one(cast: Cast) -> None:
    await give_password(cast.ada)
    nobody = Visitor(cast.app)
    fay = await nobody.remembering(await nobody.post(await link(cast), FAY))
    (await fay.get("/")).has("You have no boards", "Ada or Ben can share one with you")


async def test_person_with_an_account_signs_in_and_accepts(cast: Cast) -> None:
    await give_password(cast.ada)
    await give_password(cast.eve)
    path = await link(cast, "eve@example.org", all_boards_read=True)
    nobody = Visitor(cast.app)
    (await nobody.get(path)).has("There is an account for eve@example.org", f"/sign-in?next={path}").lacks("Your name")
    (await nobody.post(path, FAY)).is_status(409).has("There is an account with this address")
    signed_in = await nobody.post("/sign-in", {"email": "eve@example.org", "password": PASSWORD, "next": path})
    assert signed_in.leads_to == path
    eve = await nobody.remembering(signed_in)
    (await eve.get(path)).has("You are signed in as Eve", "Join Observatory")
    token = path.rpartition("/")[2]
    assert (await eve.post("/invitations/acceptances", {"token": token})).is_status(303).leads_to == "/"
    assert await Member.filter(organization_id=cast.organization.id, user_id=cast.eve.id).exists()


async def test_another_account_is_told_whose_invitation_it_is(cast: Cast) -> None:
    path, cleo = await link(cast), await visitor(cast.app, cast.cleo)
    (await cleo.get(path)).has("The invitation is for fay@example.org", "Sign out").lacks("Your name")
    token = path.rpartition("/")[2]
    (await cleo.post("/invitations/acceptances", {"token": token})).is_status(403).has("another e-mail address")


async def test_expired_and_unknown_links_say_so(cast: Cast) -> None:
    path = await link(cast)
    await Invite.all().update(expires_at=times.clock_now() - timedelta(minutes=1))
    nobody = Visitor(cast.app)
    (await nobody.get(path)).is_status(200).has("This invitation has expired", "Ask Ada").lacks("Your name")
    (await nobody.post(path, FAY)).is_status(409)
    (await nobody.get("/invitations/mci_nothing")).is_status(404).has("This invitation was revoked")
    assert not await User.filter(email="fay@example.org").exists()
