"""Signed-in browsers one by one, the first visit, and the end of an account."""

from mission_control.http import authentication
from mission_control.people.models import Organization, Session, User
from tests.cast import Cast
from tests.visitor import HERE, PASSWORD, Visitor, give_password, visitor


async def test_one_browser_is_signed_out_from_another(cast: Cast) -> None:
    ada, elsewhere = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ada)
    ben = await visitor(cast.app, cast.ben)
    await Session.filter(user_id=cast.ada.id).update(address="192.0.2.7")
    (await ada.get("/settings/sign-in")).has("from 192.0.2.7", "Sign out Firefox on Linux at 192.0.2.7")
    listed = (await cast.ada.get("/users/me/sessions")).ok()["items"]
    assert [(one["device"], one["address"], one["is_this"]) for one in listed] == [
        ("Firefox on Linux", "192.0.2.7", False)
    ] * 2
    newest = await Session.filter(user_id=cast.ada.id).order_by("-created_at").first()
    assert newest is not None
    (await ben.post(f"/settings/sessions/{newest.id}/endings")).is_status(404)
    (await cast.ben.delete(f"/users/me/sessions/{newest.id}")).refused(404)
    ended = await ada.post(f"/settings/sessions/{newest.id}/endings")
    assert ended.leads_to == "/settings/sign-in?saved=session#sessions"
    assert (await elsewhere.get("/settings")).status == 303
    (await ada.get("/settings/sign-in?saved=session")).has("The browser is signed out.").lacks("Sign out Firefox")


async def test_use_of_a_session_is_recorded(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await Session.all().update(last_seen_at="2020-01-01 00:00:00")
    await ada.get("/settings")
    await authentication.write_down()
    assert (await Session.get(user_id=cast.ada.id)).last_seen_at.year > 2020


async def test_first_visit_asks_for_what_is_missing(cast: Cast) -> None:
    await give_password(cast.ada)
    await User.filter(id=cast.ada.id).update(timezone=None)
    nobody = Visitor(cast.app)
    entered = await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD, "next": "/agents"})
    assert entered.leads_to == "/welcome?next=/agents"
    again = await Visitor(cast.app).post(
        "/sign-in", {"email": "ada@example.org", "password": PASSWORD, "next": "/agents"}
    )
    assert again.leads_to == "/agents"  # asked once
    ada = await nobody.remembering(entered)
    (await ada.get(entered.leads_to)).has('value="Ada"', 'value="/agents"', "data-timezone", "Not now")
    await User.filter(id=cast.ada.id).update(preferred_name="Countess")
    form = {"name": "Ada", "timezone": "Moon/Crater", "next": "/agents"}
    (await ada.post("/welcome", form)).is_status(422).has("Choose a time zone", 'value="/agents"')
    assert (await ada.post("/welcome", form | {"timezone": "Europe/London"})).leads_to == "/agents"
    saved = await User.get(id=cast.ada.id)
    assert (saved.timezone, saved.preferred_name) == ("Europe/London", "Countess")
    (await ada.get("/welcome?next=//evil.example")).lacks("evil.example")
    again = await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD, "next": "/agents"})
    assert again.leads_to == "/agents"


async def test_only_owner_reads_why_the_account_cannot_be_deleted(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/profile/deletion")).has("would have no owner", "You are the only owner of Observatory")
    (await ada.post("/settings/profile/deletion", {"typed": "delete"})).is_status(422).has("You are the only owner")
    assert await User.filter(id=cast.ada.id).exists()


async def test_account_is_deleted_with_what_goes_with_it(cast: Cast) -> None:
    eve, cleo = await visitor(cast.app, cast.eve), await visitor(cast.app, cast.cleo)
    (await cleo.get("/settings/profile/deletion")).has("You leave Observatory")
    (await cleo.post("/settings/profile/deletion", {"typed": "no"})).is_status(422).has("Type the word delete")
    assert (await cleo.post("/settings/profile/deletion", {"typed": "Delete"})).leads_to == "/sign-in"
    assert not await User.filter(id=cast.cleo.id).exists()
    (await eve.get("/settings/profile/deletion")).has("nobody else is in it")
    (await eve.post("/settings/profile/deletion", {"typed": "delete"}, **HERE)).is_status(303)
    assert not await Organization.filter(id=cast.elsewhere.id).exists()
