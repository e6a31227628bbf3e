"""Questions of agents, and what gateways ask for agents on no board, as kinds of asks."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from mission_control.asks import kinds
from mission_control.asks.pages import queue_row
from mission_control.asks.saying import answer, choices, deadline_facts, fact, in_one_line, need
from mission_control.asks.schemas import Course, Need, NeedAnswer, NeedParty
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_with
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.substance import Parts
from mission_control.home.gateway_request_queries import Item as RequestItem
from mission_control.home.gateway_request_queries import (
    decider_of,
    parts_of_requests,
    pending_requests,
    waiting_requests,
)
from mission_control.home.gateway_requests import locked_request
from mission_control.home.models import GatewayRequest, Question
from mission_control.home.question_commands import apply_deadline, go_on, held_question
from mission_control.home.question_queries import Item, in_queue, items_of, parts_of_questions


class QuestionAsk(kinds.AskKind[Item]):
    """Questions of agents that a person may answer."""

    kind, group, position = "question", "answer", 20
    brief = "asks a question"
    glyph = ("message-square", "ask")
    table = "agent_questions"
    concerns = ("question.", "board.")
    endings = {
        "question.closed": "closed this",
        "question.answered": "answered this",
        "question.withdrawn": "withdrew this",
        "question.ended_on_gateway": "closed this, as its gateway did,",
    }
    deadline = kinds.Deadline("state = 'open'", Question, apply_deadline, go_on)
    answers = kinds.Answers(
        at="answered_at",
        by="answered_by_user_id",
        where="state = 'answered' AND answered_by_user_id IS NOT NULL",
        otherwise="answered this",
    )

    def find(self, seeker: kinds.Seeker) -> Iterator[kinds.Rows]:
        yield kinds.Rows(
            "FROM agent_questions q JOIN mine ON mine.id = q.board_id WHERE q.state = 'open'",
            id="q.id",
            since="q.created_at",
            board_id="q.board_id",
            act_by="COALESCE(q.decide_by, q.expires_at)",
            version="CAST(q.created_at AS TEXT) || COALESCE(CAST(q.decide_by AS TEXT), '') ||"
            " COALESCE(CAST(q.reminded_at AS TEXT), '') || CAST((SELECT COUNT(*) FROM asked_people p"
            " WHERE p.kind = 'question' AND p.subject_id = q.id) AS TEXT)",
        )

    async def read(self, page: kinds.Page) -> Mapping[UUID, Item]:
        boards = await boards_with(page.board_ids)
        return {item.id: item for item in await items_of(page.actor, boards, page.ids)}

    def say(self, page: kinds.Page, key: kinds.Key, item: Item) -> Need:
        tasks, url = [item.task] if item.task else [], f"/boards/{item.board_id}/tasks/"
        about = [fact("circle-dot", f"#{task.number} {task.title}", url=f"{url}{task.id}") for task in tasks]
        return need(
            page,
            key,
            title=f"{item.agent_name} asks: {item.title}",
            reason=in_one_line(item.text),
            url=item.url,
            tasks=tasks,
            facts=[fact("bot", item.agent_name), *about, *deadline_facts(item.reminded_at, item.asked)],
            answers=choices(
                "answer_question",
                {"board_id": item.board_id, "question_id": item.id},
                item,
                f"{item.agent_name} reads it and goes on.",
            ),
            otherwise=item.without_answer,
            at=item.decide_by or item.expires_at,
            agent=NeedParty(id=item.agent_id, name=item.agent_name),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_questions(subjects)

    async def hold(self, question_id: UUID) -> None:
        """Lock a question after its board."""
        question = await Question.get_or_none(id=question_id).select_related("board")
        if question is not None:
            await held_question(question)

    async def details(self, actor: Actor, board: Board, question_id: UUID) -> kinds.Details:
        found = await items_of(actor, {board.id: board}, [question_id])
        return kinds.Details(says=found[0].text if found else "")

    async def in_words(self, actor: Actor, boards: kinds.Boards, ids: Sequence[UUID]) -> kinds.Words:
        return {
            item.id: kinds.AnswerWords(
                f"{item.agent_name} asks: {item.title}",
                item.url,
                (item.label_of(item.chosen_option_id) or item.answer or "")[:120],
            )
            for item in await items_of(actor, boards, ids)
        }

    async def queue_rows(self, actor: Actor, view: kinds.QueueView) -> list[kinds.QueueRow]:
        row = partial(queue_row, macro="questions/rows.html#question_row", next_url=view.url)
        return [row(one, one.is_open, show_board=view.show_board) for one in await in_queue(actor, view)]


QUESTIONS = QuestionAsk()


WORDS = {"approved": "approved this", "rejected": "rejected this", "answered": "answered this"}


def _decisions(item: RequestItem) -> list[NeedAnswer]:
    effects = item.request.effects(item.agent_name) if item.request is not None else {}
    approve, reject = {"decision": "approved"}, {"decision": "rejected"}
    offered: list[tuple[str, str, str, str, Course, dict[str, Any]]] = [
        ("approved", "A", "Approve", "approve", "go", approve),
        ("always", "1", "Always", "always", "go", {**approve, "always": True}),
        ("rejected", "R", "Reject", "reject", "stop", reject),
    ]
    performs, ids = "decide_gateway_request", {"gateway_request_id": item.id}
    return [
        answer(id, key, label, effects[name], performs, ids, body, course=course, recommended=id == "approved")
        for id, key, label, name, course, body in offered
        if name in effects
    ]


class RequestAsk(kinds.AskKind[RequestItem]):
    """What gateways ask for agents that are on no board."""

    kind, group, position = "request", "answer", 30
    brief = "asks something"
    glyph = ("plug-zap", "ask")
    table = "gateway_requests"
    concerns = ("gateway.request.",)
    is_for_admins = True

    def find(self, seeker: kinds.Seeker) -> Iterator[kinds.Rows]:
        yield kinds.Rows(
            "FROM gateway_requests r WHERE r.organization_id = ? AND r.status = 'pending'",
            [seeker.organization_id],
            id="r.id",
            since="r.created_at",
            act_by="r.expires_at",
            version="CAST(r.created_at AS TEXT)",
        )

    async def read(self, page: kinds.Page) -> Mapping[UUID, RequestItem]:
        return {item.id: item for item in await pending_requests(page.actor, page.ids)}

    def say(self, page: kinds.Page, key: kinds.Key, item: RequestItem) -> Need:
        is_approval = item.kind == "approval"
        ignored = item.request.effects(item.agent_name)["ignore"] if item.request is not None else ""
        ids, goes_on = {"gateway_request_id": item.id}, f"{item.agent_name} goes on with this."
        return need(
            page,
            key,
            title=f"{'Approve' if is_approval else f'{item.agent_name} asks'}: {item.title}",
            reason=None if is_approval else in_one_line(item.content or ""),
            url=item.url,
            exact=item.request.exact if item.request is not None else None,
            facts=[fact("bot", item.agent_name), fact("plug-zap", item.gateway_name)],
            answers=_decisions(item) if is_approval else choices("answer_gateway_request", ids, item, goes_on),
            otherwise=ignored or f"{item.agent_name} waits until the question expires.",
            at=item.expires_at,
            agent=NeedParty(id=item.agent_id, name=item.agent_name),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_requests(subjects)

    async def hold(self, request_id: UUID) -> None:
        await locked_request(request_id)

    async def ended(self, request_id: UUID, *, with_age: bool = True) -> str | None:
        """Say who settled a request: several of one gateway share the subject of their events."""
        request = await GatewayRequest.get_or_none(id=request_id)
        if request is None:  # removed with its gateway
            return None
        what = WORDS.get(request.status, "closed this")
        age = f" {times.ago(request.resolved_at or times.clock_now())}" if with_age else ""
        return f"{await decider_of(request)} {what}{age}."

    async def queue_rows(self, actor: Actor, view: kinds.QueueView) -> list[kinds.QueueRow]:
        if view.is_of_one_board:
            return []
        row = partial(queue_row, macro="gateway_requests/rows.html#request_row", next_url=view.url)
        return [row(one, one.is_pending) for one in await waiting_requests(actor, since=view.opened)]


REQUESTS = RequestAsk()
