"""Commands on questions: ask, also through a gateway's main agent; answer, withdraw, deadlines."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from mission_control.agents.coordination import address, memory_body, require_gateway
from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import lead_id_of, main_agent_on
from mission_control.agents.reactions import NOTICE
from mission_control.approvals.payloads import CHANNEL
from mission_control.boards.attempts import current_runs, hold_run, lock_task, only_run_of, refuse_lost_lease
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.boards.parking import is_parked, park_asker
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound, existing
from mission_control.core.substance import refuse_changed
from mission_control.database.sql import as_id, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import deliver, notify, record
from mission_control.memory.commands import write_memory
from mission_control.needs import deadlines
from mission_control.needs.deadlines import COLUMNS, Deadlines
from mission_control.questions.models import Question
from mission_control.questions.queries import parts_of_questions
from mission_control.questions.schemas import (
    REPLY_SOURCE,
    REPLY_TAGS,
    GatewayMainAskUserRequest,
    QuestionCreate,
    QuestionDeadline,
)

WORDS = Notices({"QUESTION ANSWERED": "question_answered"})

EVENTS = (
    Kind("question.asked", "An agent asked people a question.", "asked people:"),
    Kind(
        "question.answered", "A person answered an agent's question; the answer is in the board's memory.", "answered:"
    ),
    Kind("question.withdrawn", "A lead withdrew a question.", "withdrew:"),
    Kind(
        "question.deadline_changed",
        "Until when a question is to be answered, or what happens otherwise, changed.",
        "changed the deadline of:",
    ),
    Kind("question.reminded", "Nobody answered by the deadline: people were reminded.", "reminded people of:"),
    Kind(
        "question.asked_another",
        "Nobody answered or looked in time, or somebody is away: another person was asked.",
        "asked another person:",
    ),
    Kind(
        "gateway.lead.ask_user.sent",
        "A gateway's main agent got the question of a lead for people.",
        "passed a question to the main agent",
    ),
    Kind(
        "gateway.lead.ask_user.failed",
        "A question for a gateway's main agent was given up.",
        "could not pass a question to the main agent",
    ),
)

SNIPPET_LENGTH = 120
OVER = {"answered": ErrorCode.QUESTION_ANSWERED, "withdrawn": ErrorCode.QUESTION_WITHDRAWN}


@command("question.ask")
async def ask_people(actor: Actor, board: Board, new: QuestionCreate, reply_source: str | None = None) -> Question:
    """Ask people a question; it appears in their queue and in the board's chat."""
    board = await locked_board(board)
    options = [option.model_dump() for option in new.options]
    question = Question(
        board_id=board.id,
        agent_id=actor.agent_id,
        agent_name=actor.name,
        content=new.content,
        correlation_id=new.correlation_id,
        preferred_channel=new.preferred_channel,
        reply_tags=_reply_tags(new.reply_tags),
        reply_source=reply_source or REPLY_SOURCE,
        options=options,
        allows_text=new.allows_text,
        otherwise_option_id=new.otherwise_option_id,
        run_id=await _run_of(actor, board, new.task_id),
        created_at=times.clock_now(),
    )
    question.board = board
    await deadlines.put_deadline(question, board, new)
    await question.save(force_create=True)
    await park_asker(actor, [question.run_id], new)
    sentence = f"Question asked: {snippet(new.content)}"
    record("question.asked", question, sentence, question_id=question.id, correlation_id=question.correlation_id)
    lines = [f"Question for people: {new.content}"]
    lines += [f"{at}. {option['label']}" for at, option in enumerate(options, 1)]
    await write_memory(actor, board, "\n".join(lines), ["chat", "question"], is_for_people=True)
    return question


async def _run_of(actor: Actor, board: Board, task_id: UUID | None) -> UUID | None:
    """Return the run to which a question belongs: that of the task that it names, else the asker's only one."""
    if task_id is None:
        return await only_run_of(actor.agent_id, actor.fence)
    if not await rows(
        "SELECT 1 AS one FROM tasks WHERE id = ? AND board_id = ? AND deleted_at IS NULL", task_id, board.id
    ):
        raise NotFound("The task is not on this board.")
    await lock_task(task_id)
    await refuse_lost_lease([task_id])
    return (await current_runs([task_id])).get(task_id)


def _reply_tags(tags: list[str]) -> list[str]:
    """Return the tags of the answer without `chat`, because it is a note."""
    return [tag for tag in dict.fromkeys(tags) if tag and tag != "chat"] or list(REPLY_TAGS)


def snippet(text: str) -> str:
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= SNIPPET_LENGTH else line[: SNIPPET_LENGTH - 3] + "..."


@command("question.answer")
async def answer_question(
    actor: Actor, question: Question, answer: str | None, option_id: str | None = None, seen: str | None = None
) -> Question:
    """Answer a question with an option, a text, or both. Only the first answer counts.

    The answer is stored in the board's memory and the asker notified. An unknown option, or a text where the question
    allows none: Invalid. `seen` is the substance that was shown: another one is a Conflict.
    """
    question = await held_question(question)
    _refuse_when_over(question)
    if question.expires_at is not None and question.expires_at <= times.clock_now():
        raise Conflict(ErrorCode.QUESTION_EXPIRED.detail())
    refuse_changed(seen, (await parts_of_questions([question.id]))[question.id])
    answer = answer_text(question.options, answer, option_id, allows_text=question.allows_text)
    entry = await write_memory(actor, question.board, answer, question.reply_tags, question.reply_source)
    question.state, question.answer, question.answered_at = "answered", entry.content, times.clock_now()
    question.answered_by_user_id, question.chosen_option_id = actor.user_id, option_id
    await save_end("question.answered", question, memory_id=entry.id)
    if question.gateway_id is not None:  # it tells its agent
        return question
    lines = [f"From: {actor.name}"]
    if question.correlation_id:
        lines.append(f"Correlation ID: {question.correlation_id}")
    tags = ", ".join(entry.tags or [])
    again = "Claim the task again or call next, unless you hold it by now, and go on"
    then = again if await is_parked(question.run_id) else "Go on"
    lines += ["", entry.content, "", f"It is in the board's memory with the tags {tags}. {then} with this answer."]
    option = {"option_id": option_id} if question.options else {}
    for agent_id in await _recipients(question):
        about = {"memory_id": str(entry.id), "answer": entry.content, **option}
        await send_notice(question, agent_id, "QUESTION ANSWERED", lines, **about)
    return question


async def save_end(kind: str, question: Question, rest: str = "", **facts: Any) -> None:
    """Store the end of a question and record it. A gateway that asked gets the answer, or hears that there is none."""
    if question.gateway_id is not None:
        question.answer_state = "waiting"
        notify(CHANNEL)
    await question.save()
    facts = {"question_id": question.id, "correlation_id": question.correlation_id, **facts}
    sentence = f"Question {kind.partition('.')[2]}: {snippet(question.content)}{rest}"
    record(kind, question, sentence, **facts)


async def send_notice(
    question: Question, agent_id: UUID | None, header: str, lines: Iterable[str], **about: object
) -> None:
    """Send an agent a notice about a question and the task in whose run it was asked."""
    named = "SELECT t.id, t.number, t.title FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE r.id = ?"
    waiting = await rows(named, question.run_id) if question.run_id else []
    head = [f"Board: {question.board.name}", *(f"Task: #{row['number']} {row['title']}" for row in waiting)]
    deliver(
        NOTICE,
        replace(question.scope(), task_id=as_id(waiting[0]["id"]) if waiting else None),
        agent_id=agent_id,
        header=header,
        text="\n".join([*head, f"Question: {snippet(question.content)}", *lines]),
        question_id=str(question.id),
        correlation_id=question.correlation_id,
        **about,
    )


def answer_text(options: Any, answer: str | None, option_id: str | None, *, allows_text: bool) -> str:
    """Return the stored answer: the chosen option's label, followed by the person's text."""
    if answer and not allows_text:
        raise Invalid("This question is answered by one of its options.")
    labels = {option["id"]: option["label"] for option in options or []}
    if option_id is not None and option_id not in labels:
        raise Invalid("This question has no such option.")
    label = labels[option_id] if option_id is not None else ""
    return "\n\n".join(part for part in (label, answer) if part)


async def held_question(question: Question) -> Question:
    board = await locked_board(question.board)
    await hold_run(question.run_id)
    locked = await existing(Question.select_for_update().get_or_none(id=question.id))
    locked.board = board
    return locked


def _refuse_when_over(question: Question) -> None:
    if question.closed_at is not None:
        raise Conflict(ErrorCode.QUESTION_CLOSED.detail(f"This question is closed. {question.closed_reason}"))
    if question.state != "open":
        raise Conflict(OVER[question.state].detail())


async def _recipients(question: Question) -> list[UUID]:
    """Return the asker if it is still on the board, else the board's lead, and the agent that holds its run's task."""
    asker = await Agent.get_or_none(id=question.agent_id, board_id=question.board_id) if question.agent_id else None
    holders_found = await rows(
        "SELECT t.assigned_agent_id AS id FROM task_runs r JOIN tasks t ON t.id = r.task_id"
        " WHERE r.id = ? AND t.deleted_at IS NULL AND t.status IN ('in_progress', 'inbox')",
        question.run_id,
    )
    holders = [as_id(row["id"]) for row in holders_found]
    agent_ids = [asker.id if asker else await lead_id_of(question.board_id), *holders]
    return [agent_id for agent_id in dict.fromkeys(agent_ids) if agent_id is not None]


@command("question.withdraw")
async def withdraw_question(actor: Actor, question: Question) -> None:
    """Withdraw a question. Already withdrawn: a no-op; already answered: Conflict."""
    question = await held_question(question)
    if question.state == "withdrawn":
        return
    _refuse_when_over(question)
    question.state = "withdrawn"
    await save_end("question.withdrawn", question)


DEADLINE_COLUMNS = (*COLUMNS, "otherwise_option_id")


DEADLINES: Deadlines[Question] = Deadlines(
    kind="question",
    changed="question.deadline_changed",
    reminded="question.reminded",
    asked_another="question.asked_another",
    other="option",
    columns=DEADLINE_COLUMNS,
    save=lambda question: question.save(update_fields=[*DEADLINE_COLUMNS]),
    about=lambda question: snippet(question.content),
    facts=lambda question: {"question_id": question.id},
    undone="answered",
    wanted="an answer",
)


@command("question.answer")
async def set_deadline(actor: Actor, question: Question, deadline: QuestionDeadline | None) -> Question:
    """Set or remove the deadline of an open question. Raise Conflict when it is over, or a gateway's own."""
    question = await held_question(question)
    if question.state != "open":
        raise Conflict(OVER[question.state].detail())
    if question.gateway_id is not None:
        raise Conflict(ErrorCode.QUESTION_OF_GATEWAY.detail())
    option_id = deadline.otherwise_option_id if deadline is not None else None
    if option_id not in (None, *(option["id"] for option in question.options or [])):
        raise Invalid("This question has no such option.")
    await DEADLINES.change(question, deadline)
    return question


@command("question.apply_deadline")
async def apply_deadline(actor: Actor, question: Question) -> None:
    """Remind people, ask another one, or take an option."""
    question = await held_question(question)
    if question.state == "open" and question.decide_by is not None and question.decide_by <= times.clock_now():
        if await DEADLINES.end(question) is not None:
            await answer_question(actor, question, None, question.otherwise_option_id)


@command("question.apply_deadline")
async def go_on(actor: Actor, question: Question) -> None:
    """Ask others by name, as the board says, while nobody has looked, and who stands in for people who are away."""
    question = await held_question(question)
    if question.state == "open":
        await DEADLINES.go_on(question)


HEADER = "LEAD REQUEST: ASK USER"


async def main_agent_of(board: Board) -> Agent | None:
    return None if board.gateway_id is None else await main_agent_on(board.gateway_id)


@command("question.ask_as_lead")
async def ask_through_gateway(actor: Actor, board: Board, main: Agent, new: GatewayMainAskUserRequest) -> UUID:
    """Have a gateway's main agent ask people; return the delivery's id."""
    await require_gateway(main.gateway_id)
    delivery = deliver(
        NOTICE,
        board.scope(),
        agent_id=main.id,
        header=HEADER,
        text="\n".join(_lines(actor, board, new)),
        deliver=True,
        from_agent_id=str(actor.id),
        correlation_id=new.correlation_id,
        succeeded="gateway.lead.ask_user.sent",
        failed="gateway.lead.ask_user.failed",
        event={"agent_id": str(actor.id), "about": f"question for people, by {main.name}"},
    )
    return delivery.id


def _lines(actor: Actor, board: Board, new: GatewayMainAskUserRequest) -> list[str]:
    facts = (("Correlation ID", new.correlation_id), ("Preferred channel", new.preferred_channel))
    tags = _reply_tags(new.reply_tags)
    path = address(f"/api/v1/agent/boards/{board.id}/memory")
    return [
        f"Board: {board.name}",
        f"Board ID: {board.id}",
        f"From lead: {actor.name}",
        *(f"{name}: {text}" for name, text in facts if text),
        "",
        new.content,
        "",
        "Ask the user this, over the preferred channel if there is one, else over the one where they answer soonest. If"
        " no channel reaches them, say so in the board's chat.",
        "Write the answer to the board's memory, word for word:",
        f"POST {path}",
        memory_body(tags, new.reply_source or REPLY_SOURCE),
        "Then tell the lead in the chat of the board that the answer is there:",
        f"POST {path}",
        '{"content": "@lead ...", "tags": ["chat"]}',
    ]
