"""Members: read, promoted, limited and removed; only owners touch owners; one owner remains."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest

from mission_control.core.errors import Forbidden
from mission_control.people.models import BoardAccess, Member
from mission_control.people.organizations.members import change_access, change_role, remove_member
from tests.cast import Cast, Person, events, head

pytestmark = pytest.mark.dialect

MEMBERS = "/organizations/me/members"
KEYS = [
    "id", "organization_id", "user_id", "role", "all_boards_read", "all_boards_write", "created_at", "updated_at",
    "last_seen_at", "user", "board_access",
]  # fmt: skip


async def path(person: Person) -> str:
    """The path of somebody's only membership."""
    return f"{MEMBERS}/{(await Member.get(user_id=person.id)).id}"


async def test_members_are_listed_by_email(cast: Cast) -> None:
    page = (await cast.ada.get(MEMBERS)).ok()
    assert [one["user"]["email"].split("@")[0] for one in page["items"]] == ["ada", "ben", "cleo", "dan"]
    assert [list(one) for one in page["items"]] == [KEYS] * 4
    assert list(page["items"][0]["user"]) == ["id", "email", "name", "preferred_name"]
    assert (page["total"], page["limit"], page["offset"]) == (4, 200, 0)
    second = (await cast.dan.get(f"{MEMBERS}?limit=1&offset=1")).ok()
    assert ([one["user"]["name"] for one in second["items"]], second["total"]) == (["Ben"], 4)
    (await cast.ada.get(f"{MEMBERS}?limit=0")).refused(422)


async def test_board_access_of_others_is_only_for_admins(cast: Cast) -> None:
    def reached(page: dict[str, Any]) -> dict[str, int]:
        return {one["user"]["name"]: len(one["board_access"]) for one in page["items"]}

    assert reached((await cast.ben.get(MEMBERS)).ok()) == {"Ada": 0, "Ben": 0, "Cleo": 1, "Dan": 1}
    assert reached((await cast.dan.get(MEMBERS)).ok()) == {"Ada": 0, "Ben": 0, "Cleo": 0, "Dan": 1}


async def test_member_is_readable_by_admins_and_itself(cast: Cast) -> None:
    for reader in (cast.ada, cast.ben, cast.cleo):
        member = (await reader.get(await path(cast.cleo))).ok()
        [access] = member["board_access"]
        assert list(access) == ["id", "board_id", "can_read", "can_write", "created_at", "updated_at"]
        assert (access["board_id"], access["can_read"], access["can_write"]) == (str(cast.board.id), True, True)
    assert (await cast.cleo.get("/organizations/me/member")).ok() == member


async def test_role_is_changed_and_recorded(cast: Cast) -> None:
    before = await head(cast)
    changed = (await cast.ben.patch(await path(cast.cleo), {"role": " Admin "})).ok()
    assert changed["role"] == "admin" and len(changed["board_access"]) == 1
    (await cast.ben.patch(await path(cast.cleo), {"role": "admin"})).ok()
    (await cast.ben.patch(await path(cast.cleo), {})).ok()
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.subject_id)) == ("member.role_changed", cast.ben.id, changed["id"])
    assert orjson.loads(event.data) == {
        "before": {"role": "member"}, "after": {"role": "admin"}, "user_id": str(cast.cleo.id),
    }  # fmt: skip


async def test_only_owners_change_owners(cast: Cast) -> None:
    ada, ben = await path(cast.ada), await path(cast.ben)
    (await cast.ben.patch(ada, {"role": "member"})).refused(403)
    (await cast.ben.patch(ben, {"role": "owner"})).refused(403)
    (await cast.ben.patch(await path(cast.dan), {"role": "owner"})).refused(403)
    (await cast.ben.call("PUT", f"{ada}/access", {})).refused(403)
    (await cast.ben.delete(ada)).refused(403)
    assert (await Member.get(user_id=cast.ada.id)).all_boards_write is True
    assert (await cast.ada.patch(ben, {"role": "owner"})).ok()["role"] == "owner"
    assert (await cast.ben.patch(ada, {"role": "admin"})).ok()["role"] == "admin"


async def test_last_owner_cannot_be_demoted(cast: Cast) -> None:
    assert isinstance((await cast.ada.patch(await path(cast.ada), {"role": "member"})).refused(422), str)
    (await cast.ada.patch(await path(cast.ada), {"role": "owner"})).ok()  # which is no change
    assert (await Member.get(user_id=cast.ada.id)).role == "owner"


async def test_concurrent_demotions_leave_one_owner(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    ada, ben = await path(cast.ada), await path(cast.ben)
    answers = await asyncio.gather(cast.ada.patch(ben, {"role": "member"}), cast.ben.patch(ada, {"role": "member"}))
    assert [answer.status for answer in answers].count(200) == 1
    assert {answer.status for answer in answers} <= {200, 403, 422}
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1


async def test_owners_stepping_down_at_once_leave_one_owner(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    ada, ben = await path(cast.ada), await path(cast.ben)
    answers = await asyncio.gather(cast.ada.patch(ada, {"role": "member"}), cast.ben.patch(ben, {"role": "member"}))
    assert sorted(answer.status for answer in answers) == [200, 422]
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1


async def test_member_removed_concurrently_cannot_remove_others(cast: Cast) -> None:
    for person in (cast.ben, cast.dan):
        await Member.filter(user_id=person.id).update(role="owner")
    ben, dan = await path(cast.ben), await path(cast.dan)
    answers = await asyncio.gather(cast.ben.delete(dan), cast.dan.delete(ben))
    assert [answer.status for answer in answers].count(200) == 1
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 2


async def test_member_demoted_concurrently_cannot_change_others(cast: Cast) -> None:
    """The rule was asked before the rows were held; what the caller is then decides."""
    ben, dan = await cast.ben.actor(), await Member.get(user_id=cast.dan.id)
    await Member.filter(user_id=cast.ben.id).update(role="member")
    for change in (
        change_role(ben, dan, "admin"),
        change_access(ben, dan, read=True, write=True, boards=[]),
        remove_member(ben, dan),
    ):
        with pytest.raises(Forbidden):
            await change
    assert (await Member.get(id=dan.id)).role == "member"


async def test_board_access_is_replaced(cast: Cast) -> None:
    before = await head(cast)
    access = f"{await path(cast.dan)}/access"
    spec = {"board_id": str(cast.other_board.id), "can_read": False, "can_write": True}
    member = (await cast.ben.call("PUT", access, {"board_access": [spec]})).ok()
    [row] = member["board_access"]
    assert {name: row[name] for name in spec} == spec
    assert (await cast.dan.get(f"/boards/{cast.other_board.id}")).ok()["name"] == "Dome"
    (await cast.dan.get(cast.home)).refused(404)
    assert (await cast.ben.call("PUT", access, {"board_access": [spec]})).ok()["board_access"] == [row]
    [event] = await events(before, organization_id=cast.organization.id)
    assert event.kind == "member.access_changed"
    assert orjson.loads(event.data)["after"]["board_ids"] == [str(cast.other_board.id)]


@pytest.mark.parametrize("flag", ["all_boards_read", "all_boards_write"])
async def test_access_to_all_boards_replaces_single_boards(cast: Cast, flag: str) -> None:
    before = await head(cast)
    access = f"{await path(cast.dan)}/access"
    body = {flag: True, "board_access": [{"board_id": str(cast.other_board.id)}]}
    member = (await cast.ada.call("PUT", access, body)).ok()
    assert [name for name in ("all_boards_read", "all_boards_write") if member[name]] == [flag]
    assert member["board_access"] == [] and not await BoardAccess.filter(organization_member_id=member["id"]).exists()
    assert [one["name"] for one in (await cast.dan.get("/boards")).ok()["items"]] == ["Dome", "Telescope"]
    member = (await cast.ada.call("PUT", access, {})).ok()
    assert member[flag] is False and (await cast.dan.get("/boards")).ok()["total"] == 0
    (await cast.ada.call("PUT", access, {})).ok()
    told = await events(before, organization_id=cast.organization.id)
    assert [orjson.loads(event.data)["after"]["board_ids"] for event in told] == [[], []]


async def test_invalid_access_is_refused(cast: Cast) -> None:
    access = f"{await path(cast.dan)}/access"
    foreign = {"all_boards_read": True, "board_access": [{"board_id": str(cast.foreign_board.id)}]}
    assert isinstance((await cast.ada.call("PUT", access, foreign)).refused(422), str)
    twice = [{"board_id": str(cast.board.id)}, {"board_id": str(cast.board.id).upper()}]
    assert isinstance((await cast.ada.call("PUT", access, {"board_access": twice})).refused(422), list)
    (await cast.ada.call("PUT", access, {"board_access": None})).refused(422)
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    in_the_trash = {"board_access": [{"board_id": str(cast.other_board.id)}]}
    (await cast.ada.call("PUT", access, in_the_trash)).refused(422)
    assert await BoardAccess.filter(board_id=cast.board.id).count() == 2


async def test_member_is_removed(cast: Cast) -> None:
    before = await head(cast)
    member = await path(cast.cleo)
    assert (await cast.ben.delete(member)).ok() == {"ok": True}
    assert not await Member.filter(user_id=cast.cleo.id).exists()
    assert (await cast.cleo.get("/organizations/me")).ok()["name"] == "Personal"
    (await cast.cleo.get(cast.home)).refused(404)
    (await cast.ben.delete(member)).refused(404)
    [event] = await events(before, organization_id=cast.organization.id)
    assert event.kind == "member.removed"
    assert UUID(orjson.loads(event.data)["user_id"]) == cast.cleo.id


async def test_removal_from_an_inactive_organization_keeps_the_active_one(cast: Cast) -> None:
    for name in ("Attic", "Barn"):
        (await cast.cleo.post("/organizations", {"name": name})).ok()
    token = (await cast.ada.post("/organizations/me/invites", {"invited_email": "eve@example.org"})).ok()["token"]
    (await cast.eve.post("/organizations/invites/accept", {"token": token})).ok()
    member = await Member.get(user_id=cast.cleo.id, organization_id=cast.organization.id)
    (await cast.ada.delete(f"{MEMBERS}/{member.id}")).ok()
    assert (await cast.cleo.get("/organizations/me")).ok()["name"] == "Barn"
    assert (await cast.eve.get("/organizations/me")).ok()["name"] == "Observatory"  # who stays goes on there


async def test_members_cannot_remove_themselves(cast: Cast) -> None:
    for person in (cast.ada, cast.ben):
        assert (await person.delete(await path(person))).refused(403) != "Forbidden"


async def test_owner_removes_other_owners_but_never_the_last(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    (await cast.ada.delete(await path(cast.ben))).ok()
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1


async def test_removed_members_tasks_are_unassigned(cast: Cast) -> None:
    started = await cast.add_task(assigned_user_id=str(cast.cleo.id), status="in_progress")
    waiting = await cast.add_task(assigned_user_id=str(cast.cleo.id), status="review")
    foreign = await cast.add_task(assigned_user_id=str(cast.ben.id))
    (await cast.cleo.post("/organizations/me/departures")).ok()
    first, second, third = [(await cast.ada.get(cast.task(one))).ok() for one in (started, waiting, foreign)]
    assert (first["status"], first["assigned_user_id"], first["in_progress_at"]) == ("inbox", None, None)
    assert (second["status"], second["assigned_user_id"]) == ("review", None)
    assert third["assigned_user_id"] == str(cast.ben.id)
    told = await events(0, organization_id=cast.organization.id, kind__startswith="task.", task_id=started["id"])
    assert [event.kind for event in told][-1] == "task.status_changed" and "left the organization" in told[-1].message
