"""Board groups: creating, listing, reading, changing and deleting them; rights, events and notices."""

from typing import Any

import orjson
import pytest

from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import GroupMemory
from mission_control.people.models import BoardAccess, Member
from tests.cast import Cast, events, head, kinds

pytestmark = pytest.mark.dialect

KEYS = ["name", "slug", "description", "id", "organization_id", "created_at", "updated_at"]
NEW = {"name": "Night Sky", "slug": "night", "description": "Everything above."}


async def made(cast: Cast, *boards: Board, **fields: Any) -> str:
    """Create a group as Ada, with some boards in it. Return its path."""
    group = (await cast.ada.post("/board-groups", NEW | fields)).ok()
    for board in boards:
        (await cast.ada.patch(f"/boards/{board.id}", {"board_group_id": group["id"]})).ok()
    return f"/board-groups/{group['id']}"


async def test_owners_and_admins_create_groups(cast: Cast) -> None:
    for person in (cast.ada, cast.ben):
        before = await head(cast)
        group = (await person.post("/board-groups", NEW)).ok()
        assert list(group) == KEYS
        assert (group["name"], group["slug"], group["description"]) == ("Night Sky", "night", "Everything above.")
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id, str(event.subject_id)) == ("board_group.created", person.id, group["id"])
    assert await BoardGroup.filter(organization_id=cast.organization.id).count() == 2


@pytest.mark.parametrize(
    ("name", "slug", "expected"),
    [("Night Sky!", " ", "night-sky"), ("Night Sky", "  x y ", "  x y "), ("Äther 7", "", "ther-7")],
)
async def test_slug_is_made_from_the_name(cast: Cast, name: str, slug: str, expected: str) -> None:
    group = (await cast.ada.post("/board-groups", {"name": name, "slug": slug})).ok()
    assert (group["slug"], group["description"]) == (expected, None)


async def test_name_without_letters_gets_a_random_slug(cast: Cast) -> None:
    slugs = {(await cast.ada.post("/board-groups", {"name": "", "slug": ""})).ok()["slug"] for _ in range(2)}
    assert len(slugs) == 2 and {len(slug) for slug in slugs} == {32}


async def test_list_holds_groups_with_a_readable_board(cast: Cast) -> None:
    await made(cast, cast.board, name="beta")
    await made(cast, cast.other_board, name="Alpha")
    await made(cast, name="Empty")
    listed = (await cast.ada.get("/board-groups")).ok()
    assert list(listed) == ["items", "total", "limit", "offset"]
    assert [one["name"] for one in listed["items"]] == ["Alpha", "beta", "Empty"]
    second = (await cast.ada.get("/board-groups?limit=1&offset=1")).ok()
    assert ([one["name"] for one in second["items"]], second["total"]) == (["beta"], 3)
    for person in (cast.cleo, cast.dan):
        listed = (await person.get("/board-groups")).ok()
        assert ([one["name"] for one in listed["items"]], listed["total"]) == (["beta"], 1)
    assert (await cast.eve.get("/board-groups")).ok()["items"] == []


async def test_group_is_limited_to_readers_of_a_board(cast: Cast) -> None:
    path = await made(cast, cast.board)
    for person in (cast.ada, cast.ben, cast.cleo, cast.dan):
        assert list((await person.get(path)).ok()) == KEYS
    away = await made(cast, cast.other_board)
    assert (await cast.cleo.get(away)).refused(404) == "Not Found"


async def test_empty_group_is_only_for_admins(cast: Cast) -> None:
    path = await made(cast)
    assert (await cast.dan.get(path)).refused(404) == "Not Found"
    await Member.filter(user_id=cast.ben.id).update(all_boards_read=False, all_boards_write=False)
    (await cast.ben.get(path)).ok()
    assert (await cast.ben.get("/board-groups")).ok()["items"] == []


async def test_group_is_changed(cast: Cast) -> None:
    path = await made(cast, cast.board)
    before = await head(cast)
    group = (await cast.ben.patch(path, {"name": "Day", "slug": " ", "description": None})).ok()
    assert (group["name"], group["slug"], group["description"]) == ("Day", "day", None)
    assert group["updated_at"] > group["created_at"]
    [event] = await events(before, organization_id=cast.organization.id)
    assert event.kind == "board_group.updated"
    assert orjson.loads(event.data)["before"] == {
        "name": "Night Sky",
        "slug": "night",
        "description": NEW["description"],
    }
    assert (await cast.ben.patch(path, {"name": "Day"})).ok() == group
    assert len(await kinds(cast, before)) == 1


async def test_rights_to_change_a_group(cast: Cast) -> None:
    path = await made(cast, cast.board)
    for name in ("name", "slug"):
        [item] = (await cast.ada.patch(path, {name: None})).refused(422)
        assert item["loc"] == ["body", name]
    await Member.filter(user_id=cast.ben.id).update(all_boards_write=False)
    for change in (cast.ben.patch(path, {"name": "x"}), cast.ben.delete(path)):
        assert (await change).refused(403) == "Forbidden"


async def test_deleting_a_group_keeps_its_boards_and_deletes_its_memory(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    (await cast.ada.post(f"{path}/memory", {"content": "Agreed."})).ok()
    before = await head(cast)
    assert (await cast.ada.delete(path)).ok() == {"ok": True}
    assert (await cast.ada.get(path)).refused(404) == "Not Found"
    assert (await cast.ada.get(cast.home)).ok()["board_group_id"] is None
    assert await GroupMemory.all().count() == 0
    assert [kind for kind, _ in await kinds(cast, before)] == ["board_group.deleted"]


async def test_deleting_a_board_leaves_its_group(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    (await cast.ada.delete(cast.home)).ok()
    snapshot = (await cast.ada.get(f"{path}/snapshot")).ok()
    assert [one["board"]["name"] for one in snapshot["boards"]] == ["Dome"]


async def test_board_joins_only_groups_of_its_organization(cast: Cast) -> None:
    theirs = (await cast.eve.post("/board-groups", NEW)).ok()["id"]
    for link in (theirs, str(cast.board.id)):
        assert isinstance((await cast.ada.patch(cast.home, {"board_group_id": link})).refused(422), str)
    group = (await cast.ada.post("/board-groups", NEW)).ok()["id"]
    body = {"name": "Mirror", "slug": "mirror", "description": "Polish.", "board_group_id": group}
    assert (await cast.ada.post("/boards", body)).ok()["board_group_id"] == group
    listed = (await cast.ada.get(f"/boards?board_group_id={group}")).ok()
    assert [one["name"] for one in listed["items"]] == ["Mirror"]
    assert isinstance((await cast.ada.post("/boards", body | {"board_group_id": theirs})).refused(422), str)


async def notified(cast: Cast) -> list[tuple[str, str, str | None]]:
    """Return who was notified of what, with the event of success, and empty the list."""
    agents = (cast.atlas, cast.vega, cast.rigel, cast.mira, cast.nova)
    names = {str(one.id): one.name.split()[0].lower() for one in agents}
    found = [(names[str(one.agent_id)], one.header, one.data.get("succeeded")) for one in await Delivery.all()]
    await Delivery.all().delete()
    return sorted(found, key=str)


async def test_all_agents_hear_of_a_board_that_joins_or_leaves(cast: Cast) -> None:
    path = await made(cast, cast.other_board)
    await notified(cast)
    group_id = path.rpartition("/")[2]
    (await cast.ada.patch(cast.home, {"board_group_id": group_id})).ok()
    [mira] = await Delivery.filter(agent_id=cast.mira.id)
    assert (mira.board_id, mira.data["failed"]) == (cast.other_board.id, "board.group.join.notify_failed")
    assert "Telescope" in mira.text and "Dome" in mira.text and "Night Sky" in mira.text
    everyone = ("atlas", "mira", "rigel", "vega")
    lead = ("atlas", "BOARD UPDATED", "board.lead_notified")
    joined = [(name, "BOARD GROUP UPDATED", "board.group.join.notified") for name in everyone]
    assert await notified(cast) == sorted([lead, *joined], key=str)
    (await cast.ada.patch(cast.home, {"board_group_id": None})).ok()
    left = [(name, "BOARD GROUP UPDATED", "board.group.leave.notified") for name in everyone]
    assert await notified(cast) == sorted([lead, *left], key=str)


async def test_lead_is_notified_of_changes_to_its_board(cast: Cast) -> None:
    change = {"name": "Lens", "max_agents": 5, "goal_confirmed": False, "objective": "See."}
    (await cast.ada.patch(cast.home, change)).ok()
    [notice] = await Delivery.all()
    assert (notice.agent_id, notice.header) == (cast.atlas.id, "BOARD UPDATED")
    changes = notice.text.partition("\n\n")[2].split("\n")
    assert changes == ["max_agents: 3 -> 5", "name: Telescope -> Lens", "objective: null -> See."]
    (await cast.ada.patch(cast.home, {"name": "Lens"})).ok()
    (await cast.ada.patch(f"/boards/{cast.other_board.id}", {"name": "Roof"})).ok()
    assert await Delivery.all().count() == 1


async def test_board_joins_only_a_visible_group(cast: Cast) -> None:
    """Otherwise Cleo could read the group's memory, and write there."""
    hidden = await made(cast, cast.other_board)
    group_id = hidden.rpartition("/")[2]
    refused = (await cast.cleo.patch(cast.home, {"board_group_id": group_id})).refused(422)
    assert refused == "There is no board group with this id in the organization."
    (await cast.ada.patch(cast.home, {"board_group_id": group_id})).ok()
    (await cast.cleo.patch(cast.home, {"board_group_id": group_id, "name": "Lens"})).ok()
    empty = (await made(cast)).rpartition("/")[2]
    (await cast.cleo.patch(cast.home, {"board_group_id": empty})).refused(422)
    (await cast.ben.patch(cast.home, {"board_group_id": empty})).ok()


async def boards_in(group: dict[str, Any]) -> set[str]:
    """Return the names of a group's boards."""
    return {board.name for board in await Board.filter(board_group_id=group["id"])}


async def test_group_is_created_with_its_boards(cast: Cast) -> None:
    ids = [str(cast.board.id), str(cast.other_board.id)]
    group = (await cast.ada.post("/board-groups", NEW | {"board_ids": ids})).ok()
    assert await boards_in(group) == {cast.board.name, cast.other_board.name}
    (await cast.ada.patch(f"/board-groups/{group['id']}", {"name": "Dawn"})).ok()
    assert len(await boards_in(group)) == 2
    (await cast.ada.patch(f"/board-groups/{group['id']}", {"board_ids": ids[:1]})).ok()
    assert await boards_in(group) == {cast.board.name}


async def test_group_with_a_board_that_is_gone_is_not_created(cast: Cast) -> None:
    ids = [str(cast.board.id), str(cast.foreign_board.id)]
    detail = (await cast.ada.post("/board-groups", NEW | {"board_ids": ids})).refused(422)
    assert detail == "One of the boards no longer exists. Choose again."
    assert not await BoardGroup.exists()
    assert (await Board.get(id=cast.board.id)).board_group_id is None


async def test_boards_that_one_only_reads_stay_in_their_group(cast: Cast) -> None:
    group = (
        await cast.ada.post("/board-groups", NEW | {"board_ids": [str(cast.board.id), str(cast.other_board.id)]})
    ).ok()
    await Member.filter(user_id=cast.ben.id).update(all_boards_write=False)
    await give_access(cast, cast.ben, cast.board)
    (await cast.ben.patch(f"/board-groups/{group['id']}", {"board_ids": []})).ok()
    assert await boards_in(group) == {cast.other_board.name}
    path = f"/board-groups/{group['id']}"
    other = (await cast.ada.post("/board-groups", NEW)).ok()
    await Board.filter(id=cast.board.id).update(board_group_id=other["id"])
    detail = (await cast.ben.patch(f"/board-groups/{other['id']}", {"board_ids": [str(cast.other_board.id)]})).refused(
        422
    )
    assert cast.other_board.name in str(detail) and path


async def give_access(cast: Cast, person: Any, board: Board) -> None:
    """Let somebody write on one board."""
    member = await Member.get(user_id=person.id)
    await BoardAccess.create(organization_member_id=member.id, board_id=board.id, can_read=True, can_write=True)
