"""Settings: profile, password, sessions, tokens, and links for others."""

import re

from mission_control.core.actor import system
from mission_control.people.accounts.commands import make_reset_link
from mission_control.people.models import Member, Session, Token, User
from tests.cast import Caller, Cast
from tests.visitor import PASSWORD, Visitor, give_password, visitor

NEW = "another battery staple"


async def test_pages_have_the_title_of_their_heading(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    titles = {
        "/settings/tags": "Tags",
        "/settings/people/invitations/new": "Invite somebody",
        "/agents/new": "New agent",
    }
    for url, title in titles.items():
        (await ada.get(url)).has(f"{title} · ", f"{title}</")


async def test_profile_is_changed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    form = {"name": "Ada L.", "preferred_name": "Countess", "timezone": "Europe/London"}
    assert (await ada.post("/settings/profile", form)).leads_to == "/settings/profile?saved=profile"
    (await ada.get("/settings/profile?saved=profile")).has(
        "Your profile is saved.", 'value="Countess"', "Europe/London"
    )
    refused = await ada.post("/settings/profile", {"name": "", "timezone": "Moon/Crater"})
    refused.is_status(422).has("Fill this in.", "Choose a time zone", 'value="Moon/Crater"')


async def test_password_is_changed(cast: Cast) -> None:
    await give_password(cast.ada)
    ada, elsewhere = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ada)
    wrong = await ada.post("/settings/password", {"current": "not this one", "password": NEW})
    wrong.is_status(422).has("not your current password").lacks(NEW)
    short = await ada.post("/settings/password", {"current": PASSWORD, "password": "short"})
    short.is_status(422).has("Use at least 10 characters.")
    common = await ada.post("/settings/password", {"current": PASSWORD, "password": "password123"})
    common.is_status(422).has("This password is too easy to guess")
    assert (await ada.post("/settings/password", {"current": PASSWORD, "password": NEW})).status == 303
    (await ada.get("/settings")).is_status(200)
    assert (await elsewhere.get("/settings")).status == 303


async def test_other_browsers_are_signed_out(cast: Cast) -> None:
    ada, elsewhere = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ada)
    ben = await visitor(cast.app, cast.ben)
    (await ada.get("/settings/sign-in")).has("Firefox on Linux", "This browser", "Sign out the others")
    assert (await ada.post("/settings/sessions/endings")).status == 303
    assert (await elsewhere.get("/settings")).status == 303
    (await ben.get("/settings")).is_status(200)
    assert await Session.filter(user_id=cast.ada.id).count() == 1


async def test_personal_token_is_shown_once_and_revoked(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.post("/settings/tokens", {"token_name": "", "days": "x"})).is_status(422).has("Enter a whole number.")
    made = (await ada.post("/settings/tokens", {"token_name": "Release script", "days": "30"})).is_status(200)
    found = re.search(r"mcu_[\w-]{20,}", made.text)
    assert found
    script = Caller(cast.app, {"Authorization": f"Bearer {found[0]}"})
    assert (await script.get("/users/me")).ok()["email"] == "ada@example.org"
    (await ada.get("/settings/sign-in")).has("Release script").lacks(found[0])
    token = await Token.get(name="Release script")
    ben = await visitor(cast.app, cast.ben)
    (await ben.post(f"/settings/tokens/{token.id}/revocations")).is_status(404)
    assert (await ada.post(f"/settings/tokens/{token.id}/revocations")).status == 303
    (await script.get("/users/me")).refused(401)


async def test_admin_creates_a_reset_link(cast: Cast) -> None:
    ben = await visitor(cast.app, cast.ben)
    (await ben.get("/settings/people")).has("Observatory", "cleo@example.org")
    made = (await ben.post(f"/settings/people/accounts/{cast.cleo.id}/reset-links")).is_status(200)
    link = re.search(r"http://localhost(/reset/mcr_[\w-]+)", made.text)
    assert link
    (await ben.get(link[1])).is_status(200).has("Cleo")
    (await ben.post(f"/settings/people/accounts/{cast.ada.id}/reset-links")).is_status(404)
    (await ben.post(f"/settings/people/accounts/{cast.eve.id}/reset-links")).is_status(404)


async def test_admin_cannot_reset_members_of_other_organizations(cast: Cast) -> None:
    """The link would open the other organization as well: Eve makes Ben a member of hers, and Ben is Ada's admin."""
    member = await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ben.id, role="member")
    eve, ada = await visitor(cast.app, cast.eve), await visitor(cast.app, cast.ada)
    (await eve.get("/settings/people")).has("ben@example.org").lacks(
        f"/settings/people/accounts/{cast.ben.id}/reset-links"
    )
    for admin in (eve, ada):
        (await admin.post(f"/settings/people/accounts/{cast.ben.id}/reset-links")).is_status(403).has("also belongs to")
    await member.delete()
    (await ada.post(f"/settings/people/accounts/{cast.ben.id}/reset-links")).is_status(200)


async def test_new_password_invalidates_reset_links(cast: Cast) -> None:
    await give_password(cast.ben)
    ben = await User.get(id=cast.ben.id)
    secret = await make_reset_link(system(cast.organization.id), ben)
    changed = {"current": PASSWORD, "password": f"{PASSWORD} twice"}
    (await (await visitor(cast.app, cast.ben)).post("/settings/password", changed)).is_status(303)
    (await Visitor(cast.app).get(f"/reset/{secret}")).is_status(404)


async def test_ending_everything_ends_sessions_tokens_and_links(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/sign-in")).has("End all sessions and tokens", "Revoke my personal API tokens, too")
    assert (await ada.post("/settings/endings")).is_status(303).leads_to == "/sign-in"
    (await ada.get("/settings")).is_status(303)
    (await cast.ada.get("/users/me")).refused(401)
