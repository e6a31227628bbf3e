"""Organizations: founded, listed, switched, renamed, handed over, left and deleted; by whom; what was recorded."""

import asyncio

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.errors import Forbidden
from mission_control.events.event_log import verify
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from mission_control.people.models import AccountEvent, BoardAccess, Invite, Member, Organization, User
from mission_control.people.organizations.commands import delete_organization
from mission_control.people.organizations.members import transfer_ownership
from mission_control.tasks.models import Task
from tests.cast import Cast, Person, events, head
from tests.statements import cost

pytestmark = pytest.mark.dialect

ME = "/organizations/me"
KEYS = ["id", "name", "work_state", "work_state_reason", "work_state_at", "created_at", "updated_at"]


async def member_of(person: Person, organization: Organization) -> Member:
    """Somebody's place."""
    return await Member.get(user_id=person.id, organization_id=organization.id)


async def test_anyone_can_create_an_organization(cast: Cast) -> None:
    made = (await cast.dan.post("/organizations", {"name": "  Planetarium "})).ok()
    assert list(made) == KEYS and made["name"] == "Planetarium"
    assert (await cast.dan.get(ME)).ok() == made
    mine = (await cast.dan.get(f"{ME}/member")).ok()
    assert (mine["role"], mine["all_boards_read"], mine["all_boards_write"]) == ("owner", True, True)
    [event] = await Event.filter(organization_id=made["id"])
    assert (event.kind, event.actor_id, event.seq) == ("organization.created", cast.dan.id, 1)
    assert orjson.loads(event.data)["personal"] is False


@pytest.mark.parametrize("name", ["", "   ", "n" * 201])
async def test_invalid_name_is_refused(cast: Cast, name: str) -> None:
    for method, path in (("POST", "/organizations"), ("PATCH", ME)):
        assert isinstance((await cast.ada.call(method, path, {"name": name})).refused(422), str)


async def test_request_cost_does_not_grow_with_memberships(cast: Cast) -> None:
    for_one = await cost(cast.cleo, f"{cast.home}/snapshot")
    for number in range(20):
        organization = await Organization.found(f"Society {number}")
        member = await Member.create(organization_id=organization.id, user_id=cast.cleo.id)
        board = await Board.create(organization_id=organization.id, name="Desk", slug=f"desk-{number}")
        await BoardAccess.create(organization_member_id=member.id, board_id=board.id, can_write=number % 2 == 0)
    assert await cost(cast.cleo, f"{cast.home}/snapshot") == for_one
    actor = await cast.cleo.actor()
    assert len(actor.memberships) == 21
    assert [actor.writes(one) for one in await Board.filter(slug__startswith="desk-1").order_by("slug")] == [
        False, True, False, True, False, True, False, True, False, True, False,
    ]  # fmt: skip


async def test_organization_name_is_unique_per_person(cast: Cast) -> None:
    (await cast.ada.post("/organizations", {"name": "OBSERVATORY"})).refused(409)
    (await cast.eve.post("/organizations", {"name": "Observatory"})).ok()
    (await cast.eve.patch(ME, {"name": "elsewhere"})).refused(409)
    (await cast.eve.patch(ME, {"name": "observatory"})).ok()


async def test_concurrent_equal_names_succeed_once(cast: Cast) -> None:
    answers = await asyncio.gather(*(cast.ada.post("/organizations", {"name": "Twin"}) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert await Organization.filter(name="Twin").count() == 1


async def test_own_organizations_are_listed_with_role(cast: Cast) -> None:
    (await cast.ben.post("/organizations", {"name": "attic"})).ok()
    listed = (await cast.ben.get(f"{ME}/list")).ok()
    assert [list(one) for one in listed] == [["id", "name", "role", "is_active"]] * 2
    assert [(one["name"], one["role"], one["is_active"]) for one in listed] == [
        ("attic", "owner", True), ("Observatory", "admin", False),
    ]  # fmt: skip


async def test_switching_applies_to_the_next_request(cast: Cast) -> None:
    (await cast.ben.post("/organizations", {"name": "Attic"})).ok()
    back = (await cast.ben.patch(f"{ME}/active", {"organization_id": str(cast.organization.id)})).ok()
    assert back["name"] == "Observatory" and (await cast.ben.get(ME)).ok() == back
    (await cast.ben.delete(ME)).refused(403)


async def test_switching_to_a_foreign_organization_is_refused(cast: Cast) -> None:
    for organization_id in (cast.elsewhere.id, cast.board.id):
        (await cast.ada.patch(f"{ME}/active", {"organization_id": str(organization_id)})).refused(403)
    (await cast.ada.patch(f"{ME}/active", {"organization_id": "x"})).refused(422)


async def test_owners_and_admins_rename_the_organization(cast: Cast) -> None:
    before = await head(cast)
    assert (await cast.ben.patch(ME, {"name": "Dark Sky"})).ok()["name"] == "Dark Sky"
    (await cast.ben.patch(ME, {"name": "Dark Sky"})).ok()
    (await cast.ben.patch(ME, {})).ok()
    [event] = await events(before, organization_id=cast.organization.id)
    assert event.kind == "organization.renamed"
    assert orjson.loads(event.data) == {"before": {"name": "Observatory"}, "after": {"name": "Dark Sky"}}
    (await cast.ben.patch(ME, {"name": None})).refused(422)


async def test_owner_deletes_the_organization_and_its_data(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ask(cast.vega, task)
    (await cast.ada.post(f"{ME}/invites", {"invited_email": "fay@example.org"})).ok()
    (await cast.ada.post("/organizations", {"name": "Attic"})).ok()
    (await cast.ada.patch(f"{ME}/active", {"organization_id": str(cast.organization.id)})).ok()
    assert (await cast.ada.delete(ME)).ok() == {"ok": True}
    gone = {"organization_id": cast.organization.id}
    assert not await Organization.filter(id=cast.organization.id).exists()
    for model in (Board, Agent, Member, Invite, Event, Delivery):
        assert not await model.filter(**gone).exists(), model
    assert await Task.filter(board_id=cast.board.id).count() == await BoardAccess.all().count() == 0
    assert (await cast.ada.get(ME)).ok()["name"] == "Attic"
    assert (await cast.ben.get(ME)).ok()["name"] == "Personal"
    (await cast.vega.get("/agent/boards")).refused(401)
    assert await verify(cast.elsewhere.id) == ((await Organization.get(id=cast.elsewhere.id)).log_seq, None)
    entry = await AccountEvent.get(kind="organization.deleted")
    assert entry.actor_id == cast.ada.id and orjson.loads(entry.data)["name"] == "Observatory"


async def test_owner_demoted_concurrently_cannot_delete(cast: Cast) -> None:
    """The rule was asked before the organization was held; whose it is then decides, and not what else they own."""
    (await cast.ada.post("/organizations", {"name": "Attic"})).ok()
    ada = await cast.ada.actor()
    await Member.filter(user_id=cast.ada.id, organization_id=cast.organization.id).update(role="admin")
    with pytest.raises(Forbidden):
        await delete_organization(ada, cast.organization)
    assert await Board.filter(organization_id=cast.organization.id).exists()


async def test_unused_organization_can_be_deleted(cast: Cast) -> None:
    (await cast.dan.post("/organizations", {"name": "Empty"})).ok()
    (await cast.dan.delete(ME)).ok()
    assert (await cast.dan.get(ME)).ok()["name"] == "Observatory"


async def test_member_leaves(cast: Cast) -> None:
    before = await head(cast)
    member = await member_of(cast.cleo, cast.organization)
    assert (await cast.cleo.post(f"{ME}/departures")).ok() == {"ok": True}
    assert (await cast.cleo.get(ME)).ok()["name"] == "Personal"
    (await cast.cleo.get(cast.home)).refused(404)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.subject_id, event.actor_id) == ("member.left", member.id, cast.cleo.id)
    assert "leo" not in f"{event.message}{event.data}"


async def test_leaver_switches_to_their_oldest_other_organization(cast: Cast) -> None:
    for name in ("Second", "Third"):
        (await cast.cleo.post("/organizations", {"name": name})).ok()
    (await cast.cleo.patch(f"{ME}/active", {"organization_id": str(cast.organization.id)})).ok()
    (await cast.cleo.post(f"{ME}/departures")).ok()
    assert (await cast.cleo.get(ME)).ok()["name"] == "Second"


async def test_only_owner_cannot_leave(cast: Cast) -> None:
    assert isinstance((await cast.ada.post(f"{ME}/departures")).refused(422), str)
    assert isinstance((await cast.eve.post(f"{ME}/departures")).refused(422), str)
    assert await Member.filter(role="owner").count() == 2


async def test_owners_leaving_at_once_leave_one_owner(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    answers = await asyncio.gather(cast.ada.post(f"{ME}/departures"), cast.ben.post(f"{ME}/departures"))
    assert sorted(answer.status for answer in answers) == [200, 422]
    assert await Member.filter(organization_id=cast.organization.id, role="owner").count() == 1


async def test_ownership_is_transferred(cast: Cast) -> None:
    before = await head(cast)
    dan = await member_of(cast.dan, cast.organization)
    heir = (await cast.ada.post(f"{ME}/ownership", {"member_id": str(dan.id)})).ok()
    assert (heir["id"], heir["role"], heir["all_boards_read"], heir["all_boards_write"]) == (
        str(dan.id), "owner", True, True,
    )  # fmt: skip
    assert (await cast.ada.get(f"{ME}/member")).ok()["role"] == "admin"
    found = await events(before, organization_id=cast.organization.id)
    assert [event.kind for event in found] == [
        "member.role_changed", "member.role_changed", "organization.ownership_transferred",
    ]  # fmt: skip
    assert orjson.loads(found[-1].data)["user_id"] == str(cast.dan.id)


async def test_invalid_ownership_transfers_are_refused(cast: Cast) -> None:
    ada, dan = await member_of(cast.ada, cast.organization), await member_of(cast.dan, cast.organization)
    eve = await member_of(cast.eve, cast.elsewhere)
    for person in (cast.ben, cast.dan):
        (await person.post(f"{ME}/ownership", {"member_id": str(dan.id)})).refused(403)
    (await cast.ada.post(f"{ME}/ownership", {"member_id": str(ada.id)})).refused(422)
    (await cast.ada.post(f"{ME}/ownership", {"member_id": str(eve.id)})).refused(404)
    (await cast.ada.post(f"{ME}/ownership", {})).refused(422)
    assert (await Member.get(id=ada.id)).role == "owner"


async def test_owner_demoted_concurrently_cannot_transfer(cast: Cast) -> None:
    """The rule was asked before the rows were held."""
    ada, dan = await cast.ada.actor(), await member_of(cast.dan, cast.organization)
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    await Member.filter(user_id=cast.ada.id).update(role="admin")
    with pytest.raises(Forbidden):
        await transfer_ownership(ada, cast.organization, dan.id)
    assert (await Member.get(id=dan.id)).role == "member"


async def test_transfer_to_an_owner_only_demotes_the_caller(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(role="owner")
    before = await head(cast)
    ben = await member_of(cast.ben, cast.organization)
    (await cast.ada.post(f"{ME}/ownership", {"member_id": str(ben.id)})).ok()
    roles = {one.user_id: one.role for one in await Member.filter(organization_id=cast.organization.id)}
    assert (roles[cast.ada.id], roles[cast.ben.id]) == ("admin", "owner")
    assert len(await events(before, organization_id=cast.organization.id)) == 2


async def test_deletion_switches_members_to_another_organization(cast: Cast) -> None:
    (await cast.eve.delete(ME)).ok()
    assert (await User.get(id=cast.eve.id)).active_organization_id is None
    assert (await cast.eve.get(ME)).ok()["name"] == "Personal"
    assert (await User.get(id=cast.eve.id)).active_organization_id is not None
