"""One's own account: deleted, with what belongs to nobody else, and without harm to others."""

import asyncio

import orjson
import pytest

from mission_control.events.event_log import verify
from mission_control.events.models import IdempotencyRecord
from mission_control.people.accounts.commands import create_user
from mission_control.people.accounts.deletion import delete_account, deleted_at
from mission_control.people.audit.account_log import verify as verify_accounts
from mission_control.people.models import AccountEvent, Invite, Member, Organization, Session, Token, User
from mission_control.tasks.models import Task
from tests.cast import Caller, Cast, as_person, events, head
from tests.settings import having

pytestmark = pytest.mark.dialect

ME = "/users/me"


async def test_deleting_a_members_account_keeps_the_organization(cast: Cast) -> None:
    task = await cast.add_task(cast.cleo)
    before = await head(cast)
    assert (await cast.cleo.delete(ME)).ok() == {"ok": True}
    assert not await User.filter(id=cast.cleo.id).exists()
    assert not await Token.filter(user_id=cast.cleo.id).exists()
    (await cast.cleo.get(ME)).refused(401)
    assert (await Task.get(id=task["id"])).created_by_user_id is None
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id) == ("member.left", cast.cleo.id)
    assert await verify(cast.organization.id) == (event.seq, None)
    assert [entry.user_id for entry in await AccountEvent.filter(kind="account.deleted")] == [cast.cleo.id]
    assert (await verify_accounts())[1] is None


async def test_deleting_an_account_deletes_its_personal_organization(cast: Cast) -> None:
    assert (await cast.eve.delete(ME)).ok() == {"ok": True}
    assert not await Organization.filter(id=cast.elsewhere.id).exists()
    assert await Organization.filter(id=cast.organization.id).exists()
    (await cast.nova.get("/agent/boards")).refused(401)


async def test_only_owner_cannot_delete_their_account(cast: Cast) -> None:
    (await cast.ada.post("/organizations", {"name": "Attic"})).ok()
    sentence = (await cast.ada.delete(ME)).refused(422)
    assert "Observatory" in sentence and "Attic" not in sentence
    assert await Organization.filter(name="Attic").exists() and await Member.filter(user_id=cast.ada.id).count() == 2
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    (await cast.ada.delete(ME)).ok()
    assert not await Organization.filter(name="Attic").exists()


async def test_pending_invitations_end_with_the_account(cast: Cast) -> None:
    made = (await cast.ben.post("/organizations/me/invites", {"invited_email": "fay@example.org"})).ok()
    (await cast.ben.delete(ME)).ok()
    assert not await Invite.filter(id=made["id"]).exists()


async def test_owners_deleting_accounts_at_once_leave_one_owner(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    answers = await asyncio.gather(cast.ada.delete(ME), cast.ben.delete(ME))
    assert sorted(answer.status for answer in answers) == [200, 422]
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1


async def test_deletion_during_a_request_leaves_nothing(cast: Cast) -> None:
    answers = await asyncio.gather(cast.eve.delete(ME), *(cast.eve.get("/organizations/me") for _ in range(3)))
    assert answers[0].status == 200 and {answer.status for answer in answers[1:]} <= {200, 401, 404}
    assert not await User.filter(id=cast.eve.id).exists()
    assert await Organization.all().count() == 1


async def test_deleted_provider_account_is_remembered(cast: Cast) -> None:
    user = await create_user("fay@example.org", "Fay", "member", cast.organization, None)
    await User.filter(id=user.id).update(clerk_user_id="user_fay")
    fay = await as_person(cast.app, user)
    await Session.create(user_id=user.id, fingerprint="f", expires_at=user.created_at)
    await delete_account(await fay.actor(), user)
    assert await deleted_at("user_fay") is not None and await deleted_at("user_gus") is None
    entry = await AccountEvent.get(kind="account.deleted")
    assert "fay" not in orjson.dumps([entry.data]).decode()


async def test_account_deletion_with_a_key_stores_no_answer(cast: Cast) -> None:
    (await cast.cleo.delete(ME, headers={"Idempotency-Key": "bye"})).ok()
    assert not await IdempotencyRecord.exists()


async def test_account_of_the_local_token_is_created_again(cast: Cast) -> None:
    token = "a-token-of-the-instance-owner-that-is-long-enough-to-be-one"
    owner = Caller(cast.app, {"Authorization": f"Bearer {token}"})
    with having(cast.app, local_auth_token=token):
        first = (await owner.get(ME)).ok()
        (await owner.delete(ME)).ok()
        second = (await owner.get(ME)).ok()
    assert first["id"] != second["id"] and first["clerk_user_id"] == second["clerk_user_id"]
    assert await Organization.filter(name="Personal").count() == 1
