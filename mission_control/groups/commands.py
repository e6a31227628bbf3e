"""Commands that change board groups, and the notices when a board joins or leaves one."""

from collections.abc import Collection
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import agents_to_notify
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.boards.commands import locked_board, slugify, update_board
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardUpdate
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid, existing
from mission_control.core.values import new_id
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import deliver, react, reacts_to, record
from mission_control.gateways.models import Gateway
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import BoardGroupCreate, BoardGroupUpdate, with_boards

WORDS = Notices({"BOARD GROUP UPDATED": "group_updated"})

EVENTS = (
    Kind("board.group.join.notified", "An agent received the notice that a board joined the group."),
    Kind("board.group.join.notify_failed", "The notice that a board joined the group was given up."),
    Kind("board.group.leave.notified", "An agent received the notice that a board left the group."),
    Kind("board.group.leave.notify_failed", "The notice that a board left the group was given up."),
    Kind.named("board_group.created", "A board group was created.", "made the board group"),
    Kind.named("board_group.updated", "A board group's name, slug or description changed.", "changed the board group"),
    Kind.named(
        "board_group.deleted",
        "A board group was deleted with its memory; its boards stayed.",
        "deleted the board group",
    ),
)


@command("board_group.create")
async def create_group(actor: Actor, organization_id: UUID, new: BoardGroupCreate) -> BoardGroup:
    """Create a group of these boards. Raises Invalid for a board that the actor cannot change."""
    slug = _slug(new.slug, new.name)
    group = await BoardGroup.create(
        organization_id=organization_id, name=new.name, slug=slug, description=new.description
    )
    group.boards = []
    record("board_group.created", group, f"Board group created: {group.name}.", name=group.name)
    await _set_boards(actor, group, new.board_ids)
    return group


@command("board_group.update")
async def update_group(actor: Actor, group: BoardGroup, sent: BoardGroupUpdate) -> BoardGroup:
    """Change a group's fields and its boards. A blank slug is derived from the name."""
    if sent.board_ids is not None:
        await _set_boards(actor, group, sent.board_ids)  # boards are locked before groups
    group = await locked_group(group, no_key=True)
    values = sent.model_dump(exclude_unset=True, exclude={"board_ids"})
    if sent.slug is not None:
        values["slug"] = _slug(sent.slug, group.name if sent.name is None else sent.name)
    changes = {name: value for name, value in values.items() if getattr(group, name) != value}
    if not changes:
        return group
    before = {name: getattr(group, name) for name in changes}
    group.update_from_dict(changes)
    group.updated_at = times.clock_now()
    await group.save(update_fields=[*changes, "updated_at"])
    record("board_group.updated", group, f"Board group changed: {group.name}.", before=before, after=changes)
    return group


async def _set_boards(actor: Actor, group: BoardGroup, board_ids: Collection[UUID]) -> None:
    """Put these boards into the group and take out the others, except those that the actor cannot change."""
    chosen, present = set(board_ids), {board.id: board for board in group.boards}
    for board_id in sorted(chosen - set(present)):
        board = await Board.get_or_none(id=board_id, deleted_at=None, organization_id=group.organization_id)
        if board is None or not board.is_visible_to(actor):
            raise Invalid("One of the boards no longer exists. Choose again.")
        if not can(actor, "board.update", board):
            raise Invalid(f"You can only read the board {board.name}, so you cannot put it into a group.")
        await update_board(actor, board, BoardUpdate.model_validate({"board_group_id": group.id}))
    for board_id in sorted(set(present) - chosen):
        board = await locked_board(present[board_id])
        if board.board_group_id == group.id and can(actor, "board.update", board):
            await update_board(actor, board, BoardUpdate.model_validate({"board_group_id": None}))
    await with_boards(group)


@command("board_group.delete")
async def delete_group(actor: Actor, group: BoardGroup) -> None:
    """Delete a group and its memory. Its boards stay, without a group."""
    group = await locked_group(group)
    boards = await Board.filter(board_group_id=group.id).order_by("id")
    left = [board.id for board in boards]
    record("board_group.deleted", group, f"Board group deleted: {group.name}.", name=group.name, board_ids=left)
    await react()
    await Board.filter(id__in=left).update(board_group_id=None, updated_at=times.clock_now())
    await group.delete()


@command("board_group.apply_heartbeat")
async def apply_heartbeat(
    actor: Actor, group: BoardGroup, every: str, *, include_leads: bool
) -> tuple[list[UUID], list[UUID]]:
    """Set how often the server looks after the agents of a group's boards. Return these agents, changed or not.

    Second are those whose gateway cannot take it by its settings; it is stored for them, too.
    """
    agents = Agent.filter(board_id__in=group.board_ids)
    if not include_leads:
        agents = agents.filter(is_board_lead=False)
    concerned = await agents.select_for_update().order_by("id")
    if changed := [agent for agent in concerned if _has_new_heartbeat(agent, every)]:
        await Agent.bulk_update(changed, fields=["heartbeat_config", "updated_at"])
    unusable = await _unusable({agent.gateway_id for agent in concerned})
    left = [agent.id for agent in concerned if agent.gateway_id in unusable]
    return [agent.id for agent in concerned if agent.gateway_id not in unusable], left


async def _unusable(gateway_ids: set[UUID | None]) -> set[UUID | None]:
    gateways = await Gateway.filter(id__in=gateway_ids - {None})
    usable = {gateway.id for gateway in gateways if gateway.url.strip() and gateway.workspace_root.strip()}
    return gateway_ids - {None, *usable}


def _has_new_heartbeat(agent: Agent, every: str) -> bool:
    before = agent.heartbeat_config
    after = {**DEFAULT_HEARTBEAT, **(before or {}), "every": every, "target": "last"}
    if after == before:
        return False
    agent.heartbeat_config, agent.updated_at = after, times.clock_now()
    old, new = {"heartbeat_config": before}, {"heartbeat_config": after}
    record("agent.updated", agent, f"Agent changed: {agent.name}.", before=old, after=new)
    return True


async def locked_group(group: BoardGroup, *, no_key: bool = False) -> BoardGroup:
    """Return the group as it is now, locked until the command ends. Raises NotFound when it has been deleted.

    With `no_key` boards that join it at the same time do not wait.
    """
    locked = await existing(BoardGroup.select_for_update(no_key=no_key).get_or_none(id=group.id))
    locked.boards = group.boards
    return locked


def _slug(slug: str, name: str) -> str:
    return slug if slug.strip() else slugify(name, otherwise=new_id().hex)


ON_JOINING = (
    "Look at what the other boards of the group do before you plan.\n"
    "Write what several boards need to know to the group's memory.\n"
    "Tell the other leads of dependencies between boards early."
)
ON_LEAVING = (
    "Work on this board no longer depends on the group's plans.\n"
    "Finish or hand over what was agreed between the boards.\n"
    "Read the group's memory once more for open agreements."
)


@reacts_to("board.updated")
async def notify_group(actor: Actor, event: NewEvent) -> None:
    """Notify all agents of the old group and of the new one, the board's own included."""
    if "board_group_id" not in event.data["after"]:
        return
    board = await Board.get(id=event.scope.board_id)
    if (left := event.data["before"]["board_group_id"]) is not None:
        await _notify(board, left, joins=False)
    if (joined := event.data["after"]["board_group_id"]) is not None:
        await _notify(board, joined, joins=True)


async def _notify(board: Board, group_id: UUID, *, joins: bool) -> None:
    group = await BoardGroup.get_or_none(id=group_id)
    if group is None:
        return
    boards = [board, *await Board.filter(board_group_id=group.id, deleted_at=None).exclude(id=board.id)]
    named: dict[UUID | None, str] = {one.id: one.name for one in boards}
    for agent in await agents_to_notify([one.id for one in boards]):
        lines = [
            f"{'Joined' if joins else 'Left'} board: {board.name} ({board.id})",
            f"Your board: {named[agent.board_id]} ({agent.board_id})",
            f"Group: {group.name} ({group.id})",
            "",
            ON_JOINING if joins else ON_LEAVING,
        ]
        deliver(
            NOTICE,
            agent.scope(),
            agent_id=agent.id,
            header="BOARD GROUP UPDATED",
            text="\n".join(lines),
            succeeded="board.group.join.notified" if joins else "board.group.leave.notified",
            failed="board.group.join.notify_failed" if joins else "board.group.leave.notify_failed",
        )
