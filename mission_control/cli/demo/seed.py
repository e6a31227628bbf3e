"""Seed the demo by the ordinary commands: four weeks of history, and what waits for who signs in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from mission_control.agents.commands import create_agent
from mission_control.agents.holds.commands import report_hold
from mission_control.agents.holds.schemas import HoldCreate, KeptRun
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentCreate, TokenCreate
from mission_control.agents.tokens import rotate_token
from mission_control.agents.usage.budgets import create_budget, report_usage
from mission_control.agents.usage.schemas import BudgetCreate, UsageFigures
from mission_control.approvals.commands import request_approval
from mission_control.approvals.decisions import Verdict, decide_approval
from mission_control.approvals.schemas import ApprovalCreate
from mission_control.boards.commands import create_board, update_board
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardCreate, BoardUpdate
from mission_control.boards.views import ViewCreate, create_view
from mission_control.channels.models import ReachSettings
from mission_control.cli.demo import story
from mission_control.cli.demo.code import code_of
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.amounts import MICROS
from mission_control.core.field_tables import UNSET
from mission_control.core.settings import ConfigError
from mission_control.events.commands import command
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import FIRST_PAIRING, PAIRING
from mission_control.groups.commands import create_group
from mission_control.groups.queries import BoardGroupCreate
from mission_control.http import authentication
from mission_control.memory.commands import write_memory
from mission_control.people.accounts.commands import create_user
from mission_control.people.models import BoardAccess, Member, Organization, User
from mission_control.people.sign_in.demo_pages import OWNER
from mission_control.questions.commands import ask_people
from mission_control.questions.schemas import Option, QuestionCreate
from mission_control.runs.claims.leases import extend_lease
from mission_control.runs.completions import complete_run, files_of
from mission_control.runs.notes.commands import send_note
from mission_control.runs.queries import CompletionCreate
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.checklist import ChecklistItemCreate, add_item
from mission_control.tasks.commands import change_task, create_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.custom_fields.commands import create_field
from mission_control.tasks.custom_fields.queries import TaskCustomFieldDefinitionCreate
from mission_control.tasks.models import Tag, Task
from mission_control.tasks.proposals.commands import ProposalCreate, propose_task
from mission_control.tasks.removal import archive_old_tasks
from mission_control.tasks.schemas import TaskCreate
from mission_control.tasks.tags.commands import TagCreate, create_tag

PAGE = "page"
VIEW: dict[str, object] = {"name": "Due this week", "query": "due:week is:open", "sort": "due", "is_shared": True}
# Far above what the simulated agents use in a day. The one that nobody simulates has used most of its own.
MOST_USD = 250
MOST_TOKENS, USED_TOKENS = 200_000, 168_000


async def furnish(mara: Actor, boards: list[Board]) -> dict[str, Tag]:
    """Create what the tasks of these boards refer to. Return the tags by name."""
    name, text = story.GROUP
    new = BoardGroupCreate(name=name, slug="", description=text, board_ids=[board.id for board in boards])
    group = await create_group(mara, mara.organization_id, new)
    await write_memory(mara, group, story.RULES, ["rules"])
    for board, note in zip(boards, story.NOTES_OF_BOARDS, strict=True):
        await write_memory(mara, board, note, ["rules"])
        await create_view(mara, board, ViewCreate.model_validate(VIEW))
    page = TaskCustomFieldDefinitionCreate(
        field_key=PAGE, label="Page", ui_visibility="if_set", board_ids=[board.id for board in boards]
    )
    await create_field(mara, page)
    return {name: await create_tag(mara, TagCreate(name=name, color=color)) for name, color in story.TAGS.items()}


async def set_budgets(mara: Actor, agent: Agent) -> None:
    """Limit the money of everybody and the tokens of one agent, which has used most of them today."""
    for budget in ({"unit": "cost", "limit": MOST_USD}, {"unit": "tokens", "limit": MOST_TOKENS, "agent_id": agent.id}):
        await create_budget(mara, mara.organization_id, BudgetCreate.model_validate(budget))
    assert agent.board_id is not None
    await report_usage(
        system(mara.organization_id),
        agent.id,
        UsageFigures(input_tokens=USED_TOKENS, model="local-qwen"),
        board_id=agent.board_id,
    )


# Finished tasks of each day, the oldest first; the last one is the day before the story begins.
DAYS = (1, 0, 2, 1, 0, 0, 1, 1, 2, 1, 1, 0, 1, 1, 2, 1, 0, 0, 2, 3, 1, 2, 3, 2, 1, 1)
STORY_DAYS = 2
LENGTH = timedelta(days=len(DAYS) + STORY_DAYS + 1)
WORKERS = ("Juno", "Kit")
DECIDERS = ("Mara", "Mara", "Tomás")
WAITS = (8, 14, 25, 40, 11, 60, 18)  # minutes until somebody decides
TITLES = (
    "Check links of the week", "Compress new photos", "Answer questions about roasts", "Update the price list",
    "Write alt texts", "Read the error log",
)  # fmt: skip


async def play_history(actors: Mapping[str, Actor], board: Board) -> None:
    """Play the weeks before the story on a board, and archive what was finished then."""
    number = 0
    for age, finished in zip(range(len(DAYS) + STORY_DAYS, STORY_DAYS, -1), DAYS, strict=True):
        for at in range(finished):
            number += 1
            await _play_task(actors, board, number, timedelta(days=age) - timedelta(hours=2 * at))
    await archive_old_tasks(actors["Mara"], board, times.clock_now() - timedelta(days=STORY_DAYS))


async def _play_task(actors: Mapping[str, Actor], board: Board, number: int, ago: timedelta) -> None:
    worker = actors[WORKERS[number % len(WORKERS)]]
    decider = actors[DECIDERS[number % len(DECIDERS)]]
    work, wait = timedelta(minutes=20 + 7 * (number % 9)), timedelta(minutes=WAITS[number % len(WAITS)])
    with times.travelled(-ago - wait - work):
        task = await create_task(actors["Mara"], board, TaskCreate(title=TITLES[number % len(TITLES)]))
        await change_task(worker, task, TaskChange(status="in_progress"))
    tokens = 9_000 + 1_700 * (number % 11)
    with times.travelled(-ago - wait):
        request = ApprovalCreate(
            action_type="task.finish", task_id=task.id, confidence=70 + number % 28, lead_reasoning="Checked twice."
        )
        approval = await request_approval(worker, board, request)
        assert worker.agent_id is not None
        used = UsageFigures(input_tokens=tokens, output_tokens=tokens // 12, cost_usd=Decimal(14 * tokens) / MICROS)
        used.model = "claude-opus-5-5"
        await report_usage(worker, worker.agent_id, used, board_id=board.id, task_id=task.id)
    with times.travelled(-ago):
        await decide_approval(decider, approval, Verdict("approved"))
        await change_task(worker, task, TaskChange(status="done"))


QUESTION = QuestionCreate(
    content="Which address form do the product pages get?",
    options=[
        Option(label="/shop/name, redirect the rest", outcome="I write 212 redirects, about 1 h.", recommended=True),
        Option(label="/products/name", outcome="I go on; 38 newsletter links break."),
        Option(label="Leave the addresses alone", outcome="I stop here, the task goes back to the inbox."),
    ],
)
ASKED = {
    "title": "Give the product pages addresses of their own",
    "description": "Search engines and newsletters know the old ones.",
}
LATE = {"title": "Send the photographer the shot list", "description": "She needs it two days before the session."}
FAILED = {"title": "Send the survey about deliveries", "description": "1,140 customers of November; one question each."}
LIMITED = {
    "title": "Load photos only when they come into view",
    "description": "The product pages load all photos at once; those below the fold can wait.",
}
SILENT = {
    "title": "Answer the refunds of November",
    "description": "23 customers wait; the rules are in the memory of the board.",
}


HOLDING_AGENT = "Remy"
GATEWAY, SILENT_AGENT = "office-mini (invented)", "Otto"


def _task(texts: Mapping[str, str], **fields: object) -> TaskCreate:
    return TaskCreate.model_validate({**texts, **fields})


async def leave_waiting(actors: Mapping[str, Actor], shop: Board, support: Board) -> Agent:
    """Ask, be late, and fail, some hours ago. Return the agent that fell silent."""
    mara = actors["Mara"]
    with times.travelled(-timedelta(minutes=48)):
        for name, title, reason in story.PROPOSALS:
            await propose_task(actors[name], shop, ProposalCreate(title=title, reason=reason))
        kit, asked = actors["Kit"], await create_task(mara, shop, _task(ASKED))
        await change_task(kit, asked, TaskChange(status="in_progress"))
        await ask_people(kit, shop, QUESTION.model_copy(update={"task_id": asked.id, "park": True}))
    with times.travelled(-timedelta(days=2)):
        due = times.clock_now() + timedelta(days=1)
        await create_task(mara, shop, _task(LATE, assigned_user_id=mara.id, due_at=due))
        failed = await create_task(mara, support, _task(FAILED))
    with times.travelled(-timedelta(hours=5)):
        await add_comment(
            mara, failed, "It stopped again after 2 min: `line 613: ana.silva@@mail.example is no address`."
        )
        await Task.filter(id=failed.id).update(flagged_at=times.clock_now())
    # A gateway waits for its owner; it is invented, and nobody connects to it.
    with times.travelled(-timedelta(minutes=22)):
        await Gateway.create(
            organization_id=mara.organization_id,
            name=GATEWAY,
            url=INVENTED,
            workspace_root="~/.openclaw",
            state=PAIRING,
            state_code="not-paired",
            last_error=FIRST_PAIRING,
            pairing_request_id="7f2c91ad",
            pairing_device_id="5b0e7d1c94a2",
        )
    await _reach_limit(mara, shop)
    return await _fall_silent(mara, support)


async def _reach_limit(mara: Actor, board: Board) -> None:
    """Let the worker of an agent that nobody simulates wait for its limit, with a task that it began."""
    with times.travelled(-timedelta(minutes=18)):
        agent, actor, task = await _begin(mara, board, HOLDING_AGENT, "Waits for its limit, for the demo", LIMITED)
        until = times.clock_now() + timedelta(hours=2, minutes=12)
        limit = HoldCreate(
            program="claude-code", host_label="mara-laptop", account="d3", kind="window", until=until,
            words=f"You've hit your session limit · resets {until:%-I:%M%p} (UTC)",
            tasks=[KeptRun(task_id=task.id, fence=task.fence + 1)],
        )  # fmt: skip
        await report_hold(actor, board, limit)
    await Agent.filter(id=agent.id).update(last_seen_at=times.clock_now())


async def _begin(
    mara: Actor, board: Board, name: str, note: str, texts: Mapping[str, str]
) -> tuple[Agent, Actor, Task]:
    """Let a new agent begin a new task."""
    profile = {"role": "Worker", "note": note}
    agent, secret = await create_agent(mara, board, AgentCreate(name=name, identity_profile=profile))
    actor = await authentication.agent_by_token(secret or "")
    assert actor is not None
    task = await create_task(mara, board, _task(texts))
    await change_task(actor, task, TaskChange(status="in_progress"))
    return agent, actor, task


async def _fall_silent(mara: Actor, board: Board) -> Agent:
    """Let an agent that nobody simulates take a task, and stop."""
    with times.travelled(-timedelta(hours=1, minutes=40)):
        stopped = "Stopped in the middle of a task, for the demo"
        agent, actor, task = await _begin(mara, board, SILENT_AGENT, stopped, SILENT)
        await add_comment(actor, task, "I read the rules and begin with the oldest.")
        await Agent.filter(id=agent.id).update(last_seen_at=times.clock_now())
    with times.travelled(-timedelta(minutes=31)):  # it waits for a call that does not come
        await send_note(mara, task, "Leave out what is older than a year: support has looked at that already.")
    return agent


STORY_LENGTH = timedelta(hours=44)


@dataclass(frozen=True)
class Hired:
    name: str
    lead_name: str
    secret: str


@dataclass
class Stage:
    organization: Organization
    actors: dict[str, Actor] = field(default_factory=dict)
    boards: list[Board] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)


async def ready(agents: int) -> tuple[Organization, list[Hired]]:
    organization = await Organization.filter(is_demo=True).order_by("created_at").first() or await _write_story()
    return organization, await _crew(organization, agents)


async def person_of(organization: Organization, email: str, name: str, role: str) -> User:
    user = await User.get_or_none(email=email, active_organization_id=organization.id)
    return user or await _invented(email, name, role, organization)


async def _invented(email: str, name: str, role: str, organization: Organization) -> User:
    """Make a person whose address is invented: what needs them is sent there to nobody."""
    user = await create_user(email, name, role, organization, None)
    await ReachSettings.create(user_id=user.id, mail=False)
    return user


async def _set_up(stage: Stage) -> None:
    """Enter people, boards, what tasks refer to, and the agents that are simulated."""
    for person in (OWNER, *story.COLLEAGUES):
        await _enter(stage, await _invented(*person, stage.organization))
    for place in story.BOARDS:
        fields = {
            "name": place.name, "slug": place.slug, "description": place.text, "board_type": "general",
            "max_agents": story.MOST_AGENTS, "require_approval_for_done": place.needs_approval,
        }  # fmt: skip
        new = BoardCreate.model_validate(fields)
        stage.boards.append(await create_board(stage.actors["Mara"], stage.organization.id, new))
    for member in await Member.filter(organization_id=stage.organization.id, role="member").select_related("user"):
        for board in stage.boards:
            await BoardAccess.create(organization_member_id=member.id, board_id=board.id, can_write=True)
        await _enter(stage, member.user)
    stage.tags = await furnish(stage.actors["Mara"], stage.boards)
    for name, board_index, leads in story.CREW[:3]:
        secret = await _hire(stage.actors["Mara"], stage.boards[board_index], name, leads)
        if (actor := await authentication.agent_by_token(secret)) is not None:
            stage.actors[name] = actor


async def _write_story() -> Organization:
    stage = Stage(await _found(system()))
    cards = sum(len(place.cards) for place in story.BOARDS)
    with times.travelled(-LENGTH):
        await _set_up(stage)
    await play_history(stage.actors, stage.boards[0])
    played = 0
    for place, board in zip(story.BOARDS, stage.boards, strict=True):
        for card in place.cards:
            played += 1
            await _play_card(stage, board, card, STORY_LENGTH * (1 - played / (cards + 1)))
        change = BoardUpdate.model_validate({"done_needs": place.done_needs or None})
        await update_board(stage.actors["Mara"], board, change)
    silent = await leave_waiting(stage.actors, *stage.boards)
    await set_budgets(stage.actors["Mara"], silent)
    return stage.organization


@command("organization.reset_demo")
async def _found(actor: Actor) -> Organization:
    return await Organization.found(story.ORGANIZATION, is_demo=True)


async def _enter(stage: Stage, user: User) -> None:
    actor = await authentication.user_actor(user.id, ("none", None))
    if actor is not None:
        stage.actors[str(user.name).split()[0]] = actor


async def _hire(actor: Actor, board: Board, name: str, leads: bool) -> str:
    profile = {"role": "Lead" if leads else "Worker", "note": "Simulated for the demo"}
    new = AgentCreate(name=name, is_board_lead=leads, identity_profile=profile)
    _, secret = await create_agent(actor, board, new)
    assert secret is not None  # a direct agent
    return secret


async def _play_card(stage: Stage, board: Board, card: story.Card, ago: timedelta) -> None:
    """Play the story of a card: created, started, commented, approved, finished, some minutes apart."""
    minutes = 0
    now = times.clock_now().replace(minute=0, second=0, microsecond=0)
    today = now.replace(hour=16)

    def later(by: int) -> timedelta:
        nonlocal minutes
        minutes += by
        return min(timedelta(minutes=minutes) - ago, timedelta(0))

    mara = stage.actors["Mara"]
    with times.travelled(later(0)):
        stage.tasks[card.title] = task = await create_task(
            mara,
            board,
            TaskCreate.model_validate(
                {
                    "title": card.title,
                    "description": card.text,
                    "priority": card.priority,
                    "parent_id": stage.tasks[card.part_of].id if card.part_of else None,
                    "depends_on_task_ids": [stage.tasks[title].id for title in card.waits_for],
                    "tag_ids": [stage.tags[name].id for name in card.tags],
                    "due_at": _after(today, card.due and 24 * card.due),
                    "not_before": _after(now, card.not_before),
                    "custom_field_values": {PAGE: card.page} if card.page else {},
                    "assigned_user_id": stage.actors[card.person].id if card.person else None,
                }
            ),
        )
        for step in card.steps:
            await add_item(mara, task, ChecklistItemCreate(text=step.removeprefix("x "), is_done=step.startswith("x ")))
    worker = stage.actors[card.worker] if card.worker else mara
    if card.stage != "inbox":
        with times.travelled(later(12)):
            task = await _begun(worker, task)
    for who, text in card.said:
        with times.travelled(later(9)):
            await add_comment(stage.actors[who], task, text)
    await _finish(stage, board, card, worker, task, later(7), later(11))


async def _begun(worker: Actor, task: Task) -> Task:
    change = TaskChange(status="in_progress", assigned_user_id=UNSET if worker.is_agent else worker.id)
    task = await change_task(worker, task, change)
    if worker.is_agent:
        await extend_lease(worker, task, task.fence, 2 * 3600)  # longer than any card takes until it is handed in
    return task


def _after(moment: datetime, hours: int | None) -> datetime | None:
    return None if hours is None else moment + timedelta(hours=hours)


async def _finish(
    stage: Stage, board: Board, card: story.Card, worker: Actor, task: Task, asked: timedelta, decided: timedelta
) -> None:
    if card.asks:
        with times.travelled(asked):
            request = ApprovalCreate(
                action_type="task.finish" if card.stage == "done" else "data.delete",
                task_id=task.id,
                confidence=88,
                lead_reasoning=card.asks,
                rubric_scores={"completeness": 92, "clarity": 87, "risk": 71},
                park=card.stage == "in_progress",
            )
            approval = await request_approval(worker, board, request)
    with times.travelled(decided):
        if card.asks and card.stage == "done":
            await decide_approval(stage.actors["Mara"], approval, Verdict("approved", "Good work."))
        if card.stage == "review" and board.require_approval_for_done:
            await _hand_in(card, worker, task)
        elif card.stage in ("review", "done"):
            await change_task(worker, task, TaskChange(status=card.stage))


async def _hand_in(card: story.Card, worker: Actor, task: Task) -> None:
    code = code_of(task.number, card.title, list(card.tags)[::-1])
    completion = CompletionCreate.model_validate(
        {"fence": task.fence, "summary": card.said[-1][1], "confidence": 84, "code": code}
    )
    await complete_run(worker, task, completion, files_of(completion))


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
