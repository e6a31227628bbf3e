"""Invitations: shown once, for two weeks, for one person; joining adds and never takes away."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from mission_control.core import times
from mission_control.people.models import BoardAccess, Invite, InviteBoardAccess, Member, User
from mission_control.people.organizations.commands import ensure_membership
from mission_control.people.organizations.members import leave_organization, transfer_ownership
from mission_control.people.organizations.queries import OrganizationInviteRead, OrganizationMemberRead
from tests.cast import Cast, events, head, stamp

pytestmark = pytest.mark.dialect

INVITES = "/organizations/me/invites"
ACCEPT = "/organizations/invites/accept"
EVE = {"invited_email": "eve@example.org"}
KEYS = [
    "id", "organization_id", "invited_email", "role", "all_boards_read", "all_boards_write", "token",
    "created_by_user_id", "accepted_by_user_id", "accepted_at", "expires_at", "created_at", "updated_at", "mail",
]  # fmt: skip


async def invited(cast: Cast, **fields: Any) -> dict[str, Any]:
    """An invitation of Eve, or as given, by Ada."""
    body: dict[str, Any] = (await cast.ada.post(INVITES, EVE | fields)).ok()
    return body


async def test_pending_invitation_shows_its_token(cast: Cast) -> None:
    before = await head(cast)
    made = (await cast.ben.post(INVITES, {"invited_email": "  Fay@Example.ORG ", "role": "Admin"})).ok()
    assert list(made) == KEYS
    assert (made["invited_email"], made["role"]) == ("fay@example.org", "admin")
    assert made["token"] and made["created_by_user_id"] == str(cast.ben.id)
    assert stamp(minutes=14 * 24 * 60 - 5).isoformat() < made["expires_at"] < stamp(minutes=14 * 24 * 60).isoformat()
    stored = await Invite.get(id=made["id"])
    assert made["token"] not in (stored.fingerprint, stored.encrypted_token)
    for caller in (cast.ben, cast.ada):
        [listed] = (await caller.get(INVITES)).ok()["items"]
        assert listed == made
    with times.travelled(timedelta(days=14, seconds=1)):
        [listed] = (await cast.ben.get(INVITES)).ok()["items"]
        assert listed == made | {"token": ""}
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, str(event.subject_id), orjson.loads(event.data)) == (
        "invite.created", made["id"], {"role": "admin"},
    )  # fmt: skip
    assert "fay" not in f"{event.message}"


async def test_responses_match_the_document(cast: Cast) -> None:
    made = await invited(cast, board_access=[{"board_id": str(cast.board.id)}])
    listed = (await cast.ada.get(INVITES)).ok()["items"][0]
    member = (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    everybody = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    for answer in (made, listed):
        assert OrganizationInviteRead.model_validate(answer).model_dump(mode="json") == answer
    for answer in (member, *everybody):
        assert OrganizationMemberRead.model_validate(answer).model_dump(mode="json") == answer


async def test_invitations_are_listed_newest_first_until_they_are_accepted(cast: Cast) -> None:
    first, second = await invited(cast), await invited(cast)
    with times.travelled(timedelta(days=15)):
        page = (await cast.ben.get(INVITES)).ok()
    assert [one["id"] for one in page["items"]] == [second["id"], first["id"]] and page["total"] == 2
    (await cast.eve.post(ACCEPT, {"token": first["token"]})).ok()
    assert [one["id"] for one in (await cast.ben.get(f"{INVITES}?limit=1")).ok()["items"]] == [second["id"]]


async def test_only_owners_invite_owners(cast: Cast) -> None:
    (await cast.ben.post(INVITES, EVE | {"role": "owner"})).refused(403)
    assert (await invited(cast, role="owner"))["role"] == "owner"


async def test_invalid_invitation_is_refused(cast: Cast) -> None:
    foreign = {"board_id": str(cast.foreign_board.id)}
    wrong: dict[str, Any]
    for wrong in ({"invited_email": " "}, {"board_access": [foreign]}):
        assert isinstance((await cast.ada.post(INVITES, EVE | wrong)).refused(422), str)
    twice = [{"board_id": str(cast.board.id)}] * 2
    for wrong in ({"role": "boss"}, {"role": None}, {"invited_email": None}, {"board_access": twice}):
        assert isinstance((await cast.ada.post(INVITES, EVE | wrong)).refused(422), list)
    (await cast.ada.post(INVITES, {"invited_email": "CLEO@example.org", "board_access": [foreign]})).refused(409)
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    in_the_trash = [{"board_id": str(cast.other_board.id)}]
    (await cast.ada.post(INVITES, EVE | {"board_access": in_the_trash})).refused(422)
    assert not await Invite.exists()


async def test_revoked_invitation_cannot_be_accepted(cast: Cast) -> None:
    made = await invited(cast)
    before = await head(cast)
    assert (await cast.ben.delete(f"{INVITES}/{made['id']}")).ok() == made
    (await cast.ben.delete(f"{INVITES}/{made['id']}")).refused(404)
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).refused(404)
    assert [event.kind for event in await events(before, organization_id=cast.organization.id)] == ["invite.revoked"]


async def test_accepting_grants_what_was_offered(cast: Cast) -> None:
    spec = {"board_id": str(cast.board.id), "can_read": False, "can_write": True}
    made = await invited(cast, role="admin", board_access=[spec])
    before = await head(cast)
    member = (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    assert (member["role"], member["user_id"]) == ("admin", str(cast.eve.id))
    assert [{name: row[name] for name in spec} for row in member["board_access"]] == [spec]
    assert (await cast.eve.get("/organizations/me")).ok()["name"] == "Observatory"
    assert [one["name"] for one in (await cast.eve.get("/organizations/me/list")).ok()] == ["Elsewhere", "Observatory"]
    invite = await Invite.get(id=made["id"])
    assert invite.accepted_by_user_id == cast.eve.id and invite.accepted_at is not None
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id) == ("invite.accepted", cast.eve.id)
    assert "eve" not in f"{event.message}{event.data}".lower()


async def test_access_to_all_boards_replaces_single_boards(cast: Cast) -> None:
    made = await invited(cast, all_boards_read=True, board_access=[{"board_id": str(cast.board.id)}])
    assert not await InviteBoardAccess.exists()
    member = (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    assert (member["all_boards_read"], member["all_boards_write"], member["board_access"]) == (True, False, [])


async def test_existing_member_only_gains_access(cast: Cast) -> None:
    both = [
        {"board_id": str(board.id), "can_write": True, "can_read": False} for board in (cast.board, cast.other_board)
    ]
    made = await invited(cast, board_access=both)
    boards = (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()["board_access"]
    assert [(row["can_read"], row["can_write"]) for row in boards] == [(False, True)] * 2
    await BoardAccess.filter(board_id=cast.board.id).update(can_read=True, can_write=False)
    await Member.filter(user_id=cast.eve.id, organization_id=cast.organization.id).update(role="owner")
    again = await _second_invite(cast, role="member", board_access=both)
    member = (await cast.eve.post(ACCEPT, {"token": again})).ok()
    assert member["role"] == "owner" and member["all_boards_read"] is False
    assert [(row["can_read"], row["can_write"]) for row in member["board_access"]] == [(True, True)] * 2
    reading = await _second_invite(cast, board_access=[{"board_id": str(cast.board.id), "can_write": False}])
    member = (await cast.eve.post(ACCEPT, {"token": reading})).ok()
    assert [(row["can_read"], row["can_write"]) for row in member["board_access"]] == [(True, True)] * 2
    third = await _second_invite(cast, role="admin", all_boards_write=True)
    member = (await cast.eve.post(ACCEPT, {"token": third})).ok()
    assert (member["role"], member["all_boards_read"], member["all_boards_write"]) == ("owner", True, True)


async def test_invited_member_is_promoted(cast: Cast) -> None:
    first = await invited(cast, all_boards_read=True, all_boards_write=True)
    (await cast.eve.post(ACCEPT, {"token": first["token"]})).ok()
    member = (await cast.eve.post(ACCEPT, {"token": f" {await _second_invite(cast, role='admin')} "})).ok()
    assert (member["role"], member["all_boards_read"], member["all_boards_write"]) == ("admin", True, True)


NOTHING, READS, WRITES, BOTH = (False, False), (True, False), (False, True), (True, True)


@pytest.mark.parametrize(("held", "offered", "after"), [
    (None, NOTHING, NOTHING), (None, READS, READS), (None, WRITES, BOTH), (NOTHING, READS, READS),
    (READS, NOTHING, READS), (READS, WRITES, BOTH), (WRITES, READS, BOTH), (BOTH, NOTHING, BOTH),
])  # fmt: skip
async def test_offered_board_access_is_added_to_existing_access(
    cast: Cast, held: tuple[bool, bool] | None, offered: tuple[bool, bool], after: tuple[bool, bool]
) -> None:
    (await cast.eve.post(ACCEPT, {"token": (await invited(cast))["token"]})).ok()
    member = await Member.get(user_id=cast.eve.id, organization_id=cast.organization.id)
    if held is not None:
        await BoardAccess.create(
            organization_member_id=member.id, board_id=cast.board.id, can_read=held[0], can_write=held[1]
        )
    spec = {"board_id": str(cast.board.id), "can_read": offered[0], "can_write": offered[1]}
    token = await _second_invite(cast, board_access=[spec])
    [row] = (await cast.eve.post(ACCEPT, {"token": token})).ok()["board_access"]
    assert (row["can_read"], row["can_write"]) == after


async def _second_invite(cast: Cast, **fields: Any) -> str:
    """The token of an invitation that was made before its person became a member."""
    made = await invited(cast, invited_email="not-yet@example.org", **fields)
    await Invite.filter(id=made["id"]).update(invited_email="eve@example.org")
    return str(made["token"])


async def test_token_of_an_owner_invitation_is_shown_only_to_owners(cast: Cast) -> None:
    made = await invited(cast, role="owner")
    assert (await cast.ada.get(INVITES)).ok()["items"] == [made]
    assert (await cast.ben.get(INVITES)).ok()["items"] == [made | {"token": ""}]


async def test_used_invitation_keeps_no_token(cast: Cast) -> None:
    made = await invited(cast)
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    assert (await Invite.get(id=made["id"])).encrypted_token is None


async def test_invalid_tokens_are_refused(cast: Cast) -> None:
    made = await invited(cast)
    (await cast.eve.post(ACCEPT, {"token": "mci_unknown"})).refused(404)
    (await cast.eve.post(ACCEPT, {"token": ""})).refused(404)
    (await cast.eve.post(ACCEPT, {})).refused(422)
    with times.travelled(timedelta(days=14, seconds=1)):
        (await cast.eve.post(ACCEPT, {"token": made["token"]})).refused(404)
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).refused(404)


async def test_invitation_is_bound_to_its_address(cast: Cast) -> None:
    made = await invited(cast, invited_email="fay@example.org")
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).refused(403)
    await User.filter(id=cast.eve.id).update(email="Fay@Example.org")
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).ok()
    await User.filter(id=cast.dan.id).update(email=None)
    (await cast.dan.post(ACCEPT, {"token": (await invited(cast, invited_email="gus@example.org"))["token"]})).ok()


async def test_concurrent_acceptance_counts_once(cast: Cast) -> None:
    made = await invited(cast)
    answers = await asyncio.gather(*(cast.eve.post(ACCEPT, {"token": made["token"]}) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 404]
    assert await Member.filter(user_id=cast.eve.id).count() == 2


async def test_two_invitations_can_be_accepted_at_once(cast: Cast) -> None:
    made = [await invited(cast, role="admin"), await invited(cast, all_boards_read=True)]
    answers = await asyncio.gather(*(cast.eve.post(ACCEPT, {"token": one["token"]}) for one in made))
    assert [answer.status for answer in answers] == [200, 200]
    member = await Member.get(user_id=cast.eve.id, organization_id=cast.organization.id)
    assert (member.role, member.all_boards_read) == ("admin", True)


async def test_one_token_admits_one_person(cast: Cast) -> None:
    made = await invited(cast, invited_email="fay@example.org")
    for person in (cast.eve, cast.dan):
        await User.filter(id=person.id).update(email=None)
    answers = await asyncio.gather(*(one.post(ACCEPT, {"token": made["token"]}) for one in (cast.eve, cast.dan)))
    assert sorted(answer.status for answer in answers) == [200, 404]


@pytest.mark.parametrize(("verified", "home"), [(True, "Observatory"), (False, "Personal")])
async def test_verified_address_joins_without_the_token(cast: Cast, verified: bool, home: str) -> None:
    await invited(cast)
    await Member.filter(user_id=cast.eve.id).delete()
    await User.filter(id=cast.eve.id).update(active_organization_id=None, email_verified=verified)
    assert (await cast.eve.get("/organizations/me")).ok()["name"] == home
    assert await Invite.filter(accepted_by_user_id=cast.eve.id).exists() is verified


async def test_verified_address_does_not_join_by_an_ended_invitation(cast: Cast) -> None:
    await invited(cast)
    await Member.filter(user_id=cast.eve.id).delete()
    await User.filter(id=cast.eve.id).update(active_organization_id=None, email_verified=True)
    with times.travelled(timedelta(days=14, seconds=1)):
        assert (await cast.eve.get("/organizations/me")).ok()["name"] == "Personal"


async def test_concurrent_first_requests_create_one_membership(cast: Cast) -> None:
    await Member.filter(user_id=cast.eve.id).delete()
    await User.filter(id=cast.eve.id).update(active_organization_id=None)
    await asyncio.gather(*(ensure_membership(cast.eve.id) for _ in range(3)))
    assert await Member.filter(user_id=cast.eve.id).count() == 1


@pytest.mark.parametrize("how", ["demoted", "removed", "left", "deleted"])
async def test_invitation_ends_with_its_inviters_rights(cast: Cast, how: str) -> None:
    made = (await cast.ben.post(INVITES, EVE)).ok()
    kept = await invited(cast, invited_email="fay@example.org")
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    [ben] = [one["id"] for one in members if one["user_id"] == str(cast.ben.id)]
    if how == "demoted":
        (await cast.ada.patch(f"/organizations/me/members/{ben}", {"role": "member"})).ok()
    elif how == "removed":
        (await cast.ada.delete(f"/organizations/me/members/{ben}")).ok()
    elif how == "left":
        await leave_organization(await cast.ben.actor(), cast.organization)
    else:
        (await cast.ben.delete("/users/me")).ok()
    (await cast.eve.post(ACCEPT, {"token": made["token"]})).refused(404)
    assert [one["id"] for one in (await cast.ada.get(INVITES)).ok()["items"]] == [kept["id"]]


async def test_owner_invitations_of_a_former_owner_end(cast: Cast) -> None:
    await invited(cast, role="owner")
    kept = await invited(cast, invited_email="fay@example.org", role="admin")
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    [ben] = [one["id"] for one in members if one["user_id"] == str(cast.ben.id)]
    await transfer_ownership(await cast.ada.actor(), cast.organization, UUID(ben))
    assert [str(one.id) for one in await Invite.filter(organization_id=cast.organization.id)] == [kept["id"]]
