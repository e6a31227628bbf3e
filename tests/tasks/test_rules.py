"""Rules hold by themselves, also where the look-up before them refuses already."""

from mission_control.agents.models import Agent
from mission_control.core.actor import can
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.people.models import Member
from mission_control.tasks.models import Task
from tests.cast import Cast


async def test_lead_has_rights_only_on_its_own_board(cast: Cast) -> None:
    atlas = await cast.atlas.actor()
    assert can(atlas, "agent.delete", await Agent.get(id=cast.vega.id))
    assert not can(atlas, "agent.delete", await Agent.get(id=cast.mira.id))
    assert can(atlas, "agent.coordinate", cast.board)
    assert not can(atlas, "agent.coordinate", cast.other_board)


async def test_admin_with_read_access_cannot_delete_a_board(cast: Cast) -> None:
    assert can(await cast.ben.actor(), "board.delete", cast.board)
    await Member.filter(user_id=cast.ben.id).update(all_boards_read=True, all_boards_write=False)
    ben = await cast.ben.actor()
    assert can(ben, "board.read", cast.board)
    assert not any(can(ben, verb, cast.board) for verb in ("board.delete", "board.restore", "board.erase"))


async def test_author_reduced_to_reading_cannot_edit(cast: Cast) -> None:
    for person, may in ((cast.cleo, True), (cast.dan, False)):
        actor = await person.actor()
        entry = BoardMemory(board_id=cast.board.id, content="It is cold.", author_user_id=person.id)
        entry.board = cast.board
        for_all = GroupMemory(content="It is cold.", author_user_id=person.id)
        for_all.board_group = BoardGroup(organization_id=cast.organization.id, name="Domes", slug="domes")
        for_all.board_group.boards = [cast.board]
        for verb in ("edit", "delete"):
            assert can(actor, f"memory.{verb}", entry) is may
            assert can(actor, f"memory.{verb}", for_all) is may


async def test_admin_with_read_access_can_unassign_tasks(cast: Cast) -> None:
    """Removing a person or deleting an agent releases their tasks on every board."""
    await Member.filter(user_id=cast.ben.id).update(all_boards_read=True, all_boards_write=False)
    task = Task(board_id=cast.board.id, title="Polish")
    task.board = cast.board
    assert can(await cast.ben.actor(), "task.release", task)
    assert not can(await cast.dan.actor(), "task.release", task)
