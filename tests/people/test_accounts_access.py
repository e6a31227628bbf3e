"""What leads into accounts over the API: passwords, sessions, personal tokens, links for a new password."""

from datetime import timedelta

from mission_control.core import times
from mission_control.people.models import Session, Token
from tests.cast import Cast
from tests.visitor import PASSWORD, give_password, visitor

NEW = "a much better password"


async def test_a_password_is_changed_by_the_current_one(cast: Cast) -> None:
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    wrong = {"current": "not this one", "password": NEW}
    [item] = (await cast.ada.post("/users/me/password", wrong)).refused(422)
    assert (item["loc"], item["ctx"]["error"]) == (["body", "current"], "That is not your current password.")
    (await cast.ada.post("/users/me/password", {"current": PASSWORD, "password": "short"})).refused(422)
    (await cast.ada.post("/users/me/password", {"current": PASSWORD, "password": NEW, "why": "x"})).refused(422)
    (await cast.ada.post("/users/me/password", {"current": PASSWORD, "password": NEW})).ok()
    (await ada.get("/settings")).is_status(303)
    for _ in range(9):
        (await cast.ada.post("/users/me/password", wrong)).refused(422)
    assert (await cast.ada.post("/users/me/password", wrong)).status in (422, 429)
    assert (await cast.ada.post("/users/me/password", wrong)).status == 429


async def test_personal_tokens_are_created_listed_and_revoked(cast: Cast) -> None:
    made = (await cast.cleo.post("/users/me/tokens", {"name": " Laptop ", "expires_at": None})).ok()
    assert (made["name"], made["expires_at"], made["token"][:4]) == ("Laptop", None, "mcu_")
    listed = (await cast.cleo.get("/users/me/tokens")).ok()["items"]
    assert listed[0]["id"] == made["id"] and "token" not in listed[0]
    (await cast.ben.delete(f"/users/me/tokens/{made['id']}")).refused(404)
    (await cast.cleo.delete(f"/users/me/tokens/{made['id']}")).ok()
    assert (await Token.get(id=made["id"])).revoked_at is not None


async def test_a_token_creates_none_that_outlives_it(cast: Cast) -> None:
    ends = times.clock_now() + timedelta(hours=1)
    await Token.filter(user_id=cast.cleo.id).update(expires_at=ends)
    for later in (None, (ends + timedelta(seconds=1)).isoformat()):
        refused = (await cast.cleo.post("/users/me/tokens", {"name": "Longer", "expires_at": later})).refused(422)
        assert "outlives it" in refused
    (await cast.cleo.post("/users/me/tokens", {"name": "Shorter", "expires_at": ends.isoformat()})).ok()


async def test_sessions_and_everything_else_end(cast: Cast) -> None:
    await visitor(cast.app, cast.cleo)
    await visitor(cast.app, cast.ben)
    (await cast.cleo.delete("/users/me/sessions")).ok()
    assert await Session.filter(user_id=cast.cleo.id).count() == 0
    assert await Session.filter(user_id=cast.ben.id).count() == 1
    (await cast.cleo.post("/users/me/endings")).ok()
    (await cast.cleo.get("/users/me")).refused(401)
    (await cast.ben.get("/users/me")).ok()


async def test_admins_create_links_for_a_new_password(cast: Cast) -> None:
    link = (await cast.ben.post(f"/users/{cast.cleo.id}/reset-links")).ok()["url"]
    assert "/reset/mcr_" in link
    (await cast.eve.post(f"/users/{cast.cleo.id}/reset-links")).refused(404)
    (await cast.ben.post(f"/users/{cast.ada.id}/reset-links")).refused(404)
    assert "its own account" in (await cast.ada.post(f"/users/{cast.ada.id}/reset-links")).refused(403)
    (await cast.ben.post(f"/users/{cast.cleo.id}/link-invitations")).ok()
