"""Seed the database by the ordinary commands, dated over the last four weeks."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from mission_control.accounts.commands import create_user
from mission_control.accounts.models import User
from mission_control.agents.commands import create_agent
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentCreate
from mission_control.agents.token_schemas import TokenCreate
from mission_control.agents.tokens import rotate_token
from mission_control.approvals.commands import request_approval
from mission_control.approvals.decisions import decide_approval
from mission_control.approvals.schemas import ApprovalCreate
from mission_control.authn import credentials
from mission_control.boards.commands import create_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.config import ConfigError
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.declared import UNSET
from mission_control.demo import furnishing, history, story, waiting
from mission_control.organizations.models import BoardAccess, Member, Organization
from mission_control.tags.models import Tag
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.checklist import ChecklistItemCreate, add_item
from mission_control.tasks.commands import change_task, create_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.models import Task
from mission_control.tasks.schemas import TaskCreate

STORY_LENGTH = timedelta(hours=44)


@dataclass(frozen=True)
class Hired:
    """An agent with a valid token."""

    name: str
    lead_name: str
    secret: str


@dataclass
class Stage:
    """The demo organization and its agents."""

    organization: Organization
    actors: dict[str, Actor] = field(default_factory=dict)
    boards: list[Board] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)


async def ready(agents: int) -> tuple[Organization, list[Hired]]:
    """Return the demo organization, seeding it if missing, with this many agents and new tokens."""
    organization = await Organization.filter(is_demo=True).order_by("created_at").first()
    if organization is None:
        organization = await _write_story()
    return organization, await _crew(organization, agents)


async def owner_of(organization: Organization) -> User:
    """Return the person who signs in to the demo."""
    user = await User.get_or_none(email=story.OWNER_EMAIL, active_organization_id=organization.id)
    return user if user is not None else await _person(organization, story.OWNER_EMAIL, story.OWNER_NAME, "owner")


async def colleague_of(organization: Organization) -> User:
    """Return the simulated person who decides what has waited for a while."""
    email, name, role = story.COLLEAGUES[0]
    user = await User.get_or_none(email=email, active_organization_id=organization.id)
    return user if user is not None else await _person(organization, email, name, role)


async def _write_story() -> Organization:
    stage = Stage(await _found(system(UUID(int=0))))
    cards = sum(len(place.cards) for place in story.BOARDS)
    with clock.travelled(-history.LENGTH):
        await _enter_people(stage)
        for place in story.BOARDS:
            stage.boards.append(await _open_board(stage, place))
        await _let_members_write(stage)
        stage.tags = await furnishing.furnish(stage.actors["Mara"], stage.boards)
        await _enter_agents(stage)
    await history.play_history(stage.actors, stage.boards[0])
    played = 0
    for place, board in zip(story.BOARDS, stage.boards, strict=True):
        for card in place.cards:
            played += 1
            await _play_card(stage, board, card, STORY_LENGTH * (1 - played / (cards + 1)))
    silent = await waiting.leave_waiting(stage.actors, *stage.boards)
    await furnishing.set_budgets(stage.actors["Mara"], silent)
    return stage.organization


@command("organization.reset_demo")
async def _found(actor: Actor) -> Organization:
    return await Organization.found(story.ORGANIZATION, is_demo=True)


async def _person(organization: Organization, email: str, name: str, role: str) -> User:
    return await create_user(email, name, role, organization, None)


async def _enter_people(stage: Stage) -> None:
    for email, name, role in ((story.OWNER_EMAIL, story.OWNER_NAME, "owner"), *story.COLLEAGUES):
        user = await _person(stage.organization, email, name, role)
        await _enter(stage, user)


async def _enter(stage: Stage, user: User) -> None:
    actor = await credentials.user_actor(user.id, ("none", None))
    if actor is not None:
        stage.actors[str(user.name).split()[0]] = actor


async def _let_members_write(stage: Stage) -> None:
    for member in await Member.filter(organization_id=stage.organization.id, role="member").select_related("user"):
        for board in stage.boards:
            await BoardAccess.create(organization_member_id=member.id, board_id=board.id, can_write=True)
        await _enter(stage, member.user)


async def _open_board(stage: Stage, place: story.BoardStory) -> Board:
    fields = {
        "name": place.name,
        "slug": place.slug,
        "description": place.text,
        "board_type": "general",
        "max_agents": story.MOST_AGENTS,
        "require_approval_for_done": place.needs_approval,
    }
    return await create_board(stage.actors["Mara"], stage.organization.id, fields)


async def _enter_agents(stage: Stage) -> None:
    for name, board_index, leads in story.CREW[:3]:
        secret = await _hire(stage.actors["Mara"], stage.boards[board_index], name, leads)
        actor = await credentials.agent_by_token(secret)
        if actor is not None:
            stage.actors[name] = actor


async def _hire(actor: Actor, board: Board, name: str, leads: bool) -> str:
    profile = {"role": "Lead" if leads else "Worker", "note": "Simulated for the demo"}
    new = AgentCreate(name=name, is_board_lead=leads, identity_profile=profile)
    _, secret = await create_agent(actor, board, new)
    assert secret is not None  # a direct agent
    return secret


async def _play_card(stage: Stage, board: Board, card: story.Card, ago: timedelta) -> None:
    """Play the story of a card: created, started, commented, approved, finished, some minutes apart."""
    minutes = 0
    today = clock.now().replace(hour=16, minute=0, second=0, microsecond=0)

    def later(by: int) -> timedelta:
        nonlocal minutes
        minutes += by
        return min(timedelta(minutes=minutes) - ago, timedelta(0))

    mara = stage.actors["Mara"]
    with clock.travelled(later(0)):
        stage.tasks[card.title] = task = await create_task(
            mara,
            board,
            TaskCreate.model_validate(
                {
                    "title": card.title,
                    "description": card.text,
                    "priority": card.priority,
                    "depends_on_task_ids": [stage.tasks[title].id for title in card.waits_for],
                    "tag_ids": [stage.tags[name].id for name in card.tags],
                    "due_at": None if card.due is None else today + timedelta(days=card.due),
                    "custom_field_values": {furnishing.PAGE: card.page} if card.page else {},
                    "assigned_user_id": stage.actors[card.person].id if card.person else None,
                }
            ),
        )
        for step in card.steps:
            await add_item(mara, task, ChecklistItemCreate(text=step.removeprefix("x "), is_done=step.startswith("x ")))
    worker = stage.actors[card.worker] if card.worker else mara
    if card.stage != "inbox":
        with clock.travelled(later(12)):
            await change_task(worker, task, _claim(worker))
    for who, text in card.said:
        with clock.travelled(later(9)):
            await add_comment(stage.actors[who], task, text)
    await _finish(stage, board, card, worker, task, later(7), later(11))


def _claim(worker: Actor) -> TaskChange:
    return TaskChange(status="in_progress", assigned_user_id=UNSET if worker.is_agent else worker.id)


async def _finish(
    stage: Stage, board: Board, card: story.Card, worker: Actor, task: Task, asked: timedelta, decided: timedelta
) -> None:
    if card.asks:
        with clock.travelled(asked):
            request = ApprovalCreate(
                action_type="task.finish" if card.stage == "done" else "data.delete",
                task_id=task.id,
                confidence=88,
                lead_reasoning=card.asks,
                rubric_scores={"completeness": 92, "clarity": 87, "risk": 71},
            )
            approval = await request_approval(worker, board, request)
    with clock.travelled(decided):
        if card.asks and card.stage == "done":
            await decide_approval(stage.actors["Mara"], approval, "approved", "Good work.")
        if card.stage in ("review", "done"):
            await change_task(worker, task, TaskChange(status=card.stage))


async def _crew(organization: Organization, size: int) -> list[Hired]:
    boards = {board.slug: board for board in await Board.filter(organization_id=organization.id)}
    places = [boards.get(place.slug) for place in story.BOARDS]
    leads = {index: name for name, index, is_lead in story.CREW if is_lead}
    crew = []
    for name, index, is_lead in story.CREW[:size]:
        board = places[index]
        if board is not None:
            secret = await _token_of(organization, board, name, is_lead)
            crew.append(Hired(name, leads[index], secret))
    if len(crew) < size:
        raise ConfigError("The demo data is not complete: run `mission-control demo --wipe`, then start it again.")
    return crew


async def _token_of(organization: Organization, board: Board, name: str, leads: bool) -> str:
    actor = system(organization.id)
    agent = await Agent.get_or_none(board_id=board.id, name=name)
    if agent is None:
        return await _hire(actor, board, name, leads)
    agent.board = board
    return (await rotate_token(actor, agent, TokenCreate(overlap_seconds=0))).secret
