"""One's own account: profile over HTTP, sessions, passwords, tokens, set-up, and the account log."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.values import fingerprint
from mission_control.people.accounts import commands as account_commands
from mission_control.people.accounts.credentials import create_personal_token, hash_password, revoke_personal_token
from mission_control.people.audit.account_log import verify
from mission_control.people.models import (
    AccountEvent,
    InstanceSetting,
    Member,
    Organization,
    PasswordReset,
    Session,
    Token,
    User,
)
from mission_control.people.sign_in import first_run
from mission_control.people.sign_in.first_run import set_role
from tests.cast import Cast

pytestmark = pytest.mark.dialect

KEYS = [
    "clerk_user_id", "email", "name", "preferred_name", "pronouns", "timezone", "notes", "context", "id",
    "is_super_admin", "away_until", "stand_in_id",
]  # fmt: skip


async def sign_in(email: str, password: str, user_agent: str | None) -> str:
    """Sign in as the page does."""
    return await account_commands.start_session(system(), await account_commands.proven(email, password), user_agent)


async def kinds(since: int = 0) -> list[str]:
    """What the account log holds."""
    return [event.kind for event in await AccountEvent.filter(seq__gt=since).order_by("seq")]


async def test_users_me_returns_the_caller(cast: Cast) -> None:
    me = (await cast.cleo.get("/users/me")).ok()
    assert list(me) == KEYS
    assert (me["id"], me["name"], me["email"]) == (str(cast.cleo.id), "Cleo", "cleo@example.org")
    assert (await cast.cleo.post("/auth/bootstrap")).ok() == me


async def test_patch_changes_only_sent_fields(cast: Cast) -> None:
    entries = len(await kinds())
    body = {"preferred_name": "C.", "timezone": "Not/AZone", "email": "other@example.org", "is_super_admin": True}
    me = (await cast.cleo.patch("/users/me", body)).ok()
    assert (me["preferred_name"], me["timezone"]) == ("C.", "Not/AZone")
    assert (me["email"], me["is_super_admin"], me["name"]) == ("cleo@example.org", False, "Cleo")
    assert (await cast.cleo.patch("/users/me", {"preferred_name": None})).ok()["preferred_name"] is None
    assert await kinds(entries) == ["account.updated", "account.updated"]
    assert (await cast.cleo.patch("/users/me", {})).ok()["timezone"] == "Not/AZone"
    assert len(await kinds()) == entries + 2
    [item] = (await cast.cleo.patch("/users/me", {"name": 5})).refused(422)
    assert (item["type"], item["loc"]) == ("string_type", ["body", "name"])


async def test_comments_show_the_authors_current_name(cast: Cast) -> None:
    path = f"{cast.task(await cast.add_task())}/comments"
    (await cast.cleo.post(path, {"message": "Hello."})).ok()
    (await cast.cleo.patch("/users/me", {"preferred_name": "Cleopatra"})).ok()
    assert (await cast.dan.get(path)).ok()["items"][0]["author"]["name"] == "Cleopatra"


async def first_owner(code: str, local_token: str = "") -> User:
    form = {"code": code or "-", "organization_name": "Lab", "name": "Ada", "email": "ada@example.org"}
    typed = first_run.SetupForm.model_validate(form | {"password": "a long password"})
    return await first_run.complete_setup(typed, local_token=local_token)


@pytest.mark.usefixtures("app")
async def test_servers_that_start_together_store_one_setup_code() -> None:
    codes = await asyncio.gather(*(first_run.issue_setup_code() for _ in range(8)))
    [stored] = await InstanceSetting.filter(name=first_run.CODE_NAME)
    assert [fingerprint(code or "") for code in codes].count(stored.value) == 1


async def test_setting_up_and_signing_in(app: Quart) -> None:
    assert await first_run.is_open()
    first, code = await first_run.issue_setup_code(), await first_run.issue_setup_code()
    assert code is not None
    with pytest.raises(Forbidden):
        await first_owner(str(first))
    ada = await first_owner(f" {code.lower()} ")
    assert not await first_run.is_open() and await first_run.issue_setup_code() is None
    with pytest.raises(Forbidden):
        await first_owner(code)
    [member] = await Member.filter(user_id=ada.id)
    assert (member.role, member.all_boards_write) == ("owner", True)
    assert (await Organization.get(id=ada.active_organization_id)).name == "Lab"
    await sign_in("ADA@example.org ", "a long password", "Firefox")
    for email, password in (("ada@example.org", "another password"), ("eve@example.org", "a long password")):
        with pytest.raises(Forbidden):
            await sign_in(email, password, None)
    assert await kinds() == [
        "account.set_up", "account.signed_in", "account.sign_in_refused", "account.sign_in_refused",
    ]  # fmt: skip


async def test_owner_behind_the_local_token_gets_no_other_code(app: Quart) -> None:
    token = "a-token-of-the-owner-for-tests-that-has-fifty-characters-or-more"
    assert await first_run.issue_setup_code(token) is not None
    user_id = await first_run.ensure_local_owner()
    assert await first_run.issue_setup_code(token) is None
    assert await first_run.issue_setup_code() is not None
    for wrong in (token[:-1], "", "A"):
        with pytest.raises(Forbidden):
            await first_owner(wrong, local_token=token)
    with pytest.raises(Forbidden):
        await first_owner("")
    ada = await first_owner(token, local_token=token)
    assert ada.id == user_id


async def test_new_password_ends_other_sessions(cast: Cast) -> None:
    user = await User.get(id=cast.cleo.id)
    user.password_hash = await hash_password("the old password")
    await user.save(update_fields=["password_hash"])
    await sign_in("cleo@example.org", "the old password", None)
    actor = await cast.cleo.actor()
    with pytest.raises(Forbidden):
        await account_commands.change_password(actor, user, "a wrong password", "the new password")
    await account_commands.change_password(actor, user, "the old password", "the new password")
    assert await Session.all().count() == 0
    await sign_in("cleo@example.org", "the new password", None)
    with pytest.raises(Forbidden):
        await account_commands.change_password(
            await cast.ada.actor(), await User.get(id=user.id), "the new password", "mine"
        )


async def test_password_reset_from_the_command_line(cast: Cast) -> None:
    cleo, ada, eve = [await User.get(id=one.id) for one in (cast.cleo, cast.ada, cast.eve)]
    for person, user, refusal in (
        (cast.cleo, cleo, Forbidden), (cast.ben, ada, NotFound), (cast.ada, eve, NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            await account_commands.make_reset_link(await person.actor(), user)
    first = await account_commands.make_reset_link(await cast.ben.actor(), cleo)
    link = await account_commands.make_reset_link(await cast.ada.actor(), cleo)
    with pytest.raises(NotFound):
        await account_commands.reset_password(first, "the new password")
    with times.travelled(timedelta(hours=25)), pytest.raises(NotFound):
        await account_commands.reset_password(link, "the new password")
    await account_commands.reset_password(link, "the new password")
    await sign_in("cleo@example.org", "the new password", None)
    with pytest.raises(NotFound):
        await account_commands.reset_password(link, "another password")
    assert await PasswordReset.filter(fingerprint=link).count() == 0


async def test_personal_token_works_until_revoked_or_expired(cast: Cast) -> None:
    actor, user = await cast.cleo.actor(), await User.get(id=cast.cleo.id)
    made = await create_personal_token(actor, user, "laptop", times.clock_now() + timedelta(days=1))
    assert made.secret.startswith("mcu_") and len(made.secret) == 52
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert (await cast.nobody.get("/users/me", headers=headers)).ok()["name"] == "Cleo"
    with times.travelled(timedelta(days=2)):
        (await cast.nobody.get("/users/me", headers=headers)).refused(401)
    with pytest.raises(Forbidden):
        await revoke_personal_token(await cast.ada.actor(), made.row)
    with pytest.raises(Forbidden):
        await create_personal_token(await cast.ada.actor(), user, "stolen")
    await revoke_personal_token(actor, made.row)
    (await cast.nobody.get("/users/me", headers=headers)).refused(401)
    assert await Token.filter(user_id=user.id, revoked_at=None).count() == 1


@pytest.mark.parametrize("ends", [True, False])
async def test_reset_ends_other_sessions_and_tokens_unless_told_to_keep_them(cast: Cast, ends: bool) -> None:
    user = await User.get(id=cast.cleo.id)
    await account_commands.start_session(system(), user, None)
    link = await account_commands.make_reset_link(await cast.ada.actor(), user)
    await account_commands.reset_password(link, "the new password", ends_others=ends)
    assert await Session.filter(user_id=user.id).exists() is not ends
    assert (await cast.nobody.get("/users/me", headers=cast.cleo.headers)).status == (401 if ends else 200)


async def test_changed_password_ends_tokens_on_request(cast: Cast) -> None:
    user = await User.get(id=cast.cleo.id)
    user.password_hash = await hash_password("the old password")
    await user.save(update_fields=["password_hash"])
    actor = await cast.cleo.actor()
    await account_commands.change_password(actor, user, "the old password", "the new password")
    (await cast.cleo.get("/users/me")).ok()
    user = await User.get(id=cast.cleo.id)
    await account_commands.change_password(actor, user, "the new password", "the newest password", ends_tokens=True)
    (await cast.cleo.get("/users/me")).refused(401)


async def test_ending_everything_ends_sessions_tokens_and_links(cast: Cast) -> None:
    user = await User.get(id=cast.cleo.id)
    await account_commands.start_session(system(), user, None)
    link = await account_commands.make_reset_link(await cast.ada.actor(), user)
    await account_commands.end_everything(await cast.cleo.actor(), user)
    assert not await Session.filter(user_id=user.id).exists()
    assert await account_commands.reset_target(link) is None
    (await cast.cleo.get("/users/me")).refused(401)
    (await cast.ada.get("/users/me")).ok()


@pytest.mark.parametrize("spelling", ["Ädele@example.org", "ädele@Example.org", " ÄDELE@EXAMPLE.ORG "])
async def test_email_is_case_insensitive(cast: Cast, spelling: str) -> None:
    await User.filter(id=cast.cleo.id).update(email="ÄDele@example.org")
    found = await account_commands.user_by_email(spelling)
    assert found is not None and found.id == cast.cleo.id
    invitation = {"invited_email": spelling.strip()}
    assert "member" in str((await cast.ada.post("/organizations/me/invites", invitation)).refused(409))


async def test_email_is_unique(cast: Cast) -> None:
    with pytest.raises(Conflict):
        await account_commands.create_user("CLEO@example.org", "Cleo", "member", cast.organization, None)


@pytest.mark.parametrize("change", ["kind", "data", "user", "missing", "end"])
async def test_tampering_with_the_account_log_is_detected(cast: Cast, change: str) -> None:
    count, fault = await verify()
    assert (count, fault) == (await AccountEvent.all().count(), None)
    entry: Any = AccountEvent.filter(seq=3)
    if change == "missing":
        await entry.delete()
    elif change == "end":
        await AccountEvent.filter(seq=count).delete()
    else:
        values: dict[str, dict[str, Any]] = {
            "kind": {"kind": "account.signed_in"},
            "data": {"data": "{}"},
            "user": {"user_id": cast.eve.id},
        }
        await entry.update(**values[change])
    held, fault = await verify()
    assert fault is not None and held == (count - 1 if change == "end" else 2)


async def test_two_owners_cannot_depose_each_other(cast: Cast) -> None:
    ada, ben = await User.get(id=cast.ada.id), await User.get(id=cast.ben.id)
    await set_role(await cast.ada.actor(), cast.organization.id, ben, "owner")
    results = await asyncio.gather(
        set_role(await cast.ada.actor(), cast.organization.id, ben, "member"),
        set_role(await cast.ben.actor(), cast.organization.id, ada, "member"),
        return_exceptions=True,
    )
    # The second one is no longer an owner, which is checked under the lock.
    assert sorted(type(one).__name__ for one in results) == ["Forbidden", "NoneType"]
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1
