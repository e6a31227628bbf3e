"""Workers that wait, as a kind of needs: one for an account on a machine, however many tasks it keeps."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.holds.commands import MORNING, next_morning, take_back_answer
from mission_control.agents.holds.models import Hold
from mission_control.agents.holds.queries import holds_read, others_free
from mission_control.agents.holds.schemas import AgentHold, HoldRead
from mission_control.boards.queries import on_visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.programs import program_name
from mission_control.core.substance import Parts
from mission_control.database.records import find
from mission_control.database.sql import Condition, placeholders
from mission_control.needs.kinds import Answers, AnswerWords, Boards, Key, Last, NeedKind, Page, Rows, Seeker, Words
from mission_control.needs.lookup import parse_need_id, render_needs
from mission_control.needs.queries import Filter, find_keys
from mission_control.needs.recipients import day_words, in_words
from mission_control.needs.schemas import Need, NeedAnswer, NeedParty, NeedTask
from mission_control.needs.wording import answer, fact, need

TITLES = {
    "window": "{worker} waits for its limit to reset at {at}",
    "overload": "{worker} waits until {at}: its provider is overloaded",
    "sign_in": "{worker} waits for somebody to sign it in",
}
FACTS = {
    "window": "Limit reached · resets {at}, in {left}",
    "overload": "Provider overloaded · tries again {at}, in {left}",
    "sign_in": "Sign-in ended · tries again {at}, in {left}",
}
PATIENCE = timedelta(hours=1)  # in which an overloaded provider is nobody's concern
LATE = (
    "SELECT organization_id, 'hold_id' AS name, id AS value FROM worker_holds WHERE ended_at IS NULL"
    " AND answer IS NULL AND kind = 'overload' AND created_at >= ? AND created_at < ?"
)


class Waiting(NamedTuple):
    """A hold, and the workers of its board that could take over."""

    hold: HoldRead
    others: list[str]

    @property
    def worker(self) -> str:
        return f"{program_name(self.hold.program, self.hold.program)} on {self.hold.host_label}"

    @property
    def agents(self) -> str:
        return in_words(agent.name for agent in self.hold.agents) if self.hold.agents else self.worker

    @property
    def keeps(self) -> str:
        if not self.hold.tasks:
            return "It keeps no task."
        stays, keepers = "stays" if len(self.hold.tasks) == 1 else "stay", (task.agent_name for task in self.hold.tasks)
        return f"{self.tasks} {stays} with {in_words(dict.fromkeys(keepers))}. No attempt was counted."

    @property
    def title(self) -> str:
        return TITLES[self.hold.kind].format(worker=self.worker, at=times.clock_time(self.hold.ends))

    @property
    def tasks(self) -> str:
        return in_words(f"#{task.number}" for task in self.hold.tasks) if self.hold.tasks else ""


def _continuing(board_id: UUID, hold_id: UUID) -> NeedAnswer:
    again, ids = "It tries once. If that does not help, it waits again.", {"board_id": board_id, "hold_id": hold_id}
    return answer("continue", "1", "Continue now", again, "answer_hold", ids, {"answer": "continue"})


def answers_of(waiting: Waiting) -> list[NeedAnswer]:
    hold, ids = waiting.hold, {"board_id": waiting.hold.board_id, "hold_id": waiting.hold.id}
    answers = [_continuing(hold.board_id, hold.id)]
    if hold.tasks and waiting.others:
        who = waiting.others[0] if len(waiting.others) == 1 else "another"
        goes = "goes" if len(hold.tasks) == 1 else "go"
        then = f"{waiting.tasks} {goes} to the inbox for others, without a failed attempt. {waiting.agents} waits on."
        label, body = f"Let {who} take over", {"answer": "take_over"}
        answers.append(
            answer("take_over", "2", label, then, "answer_hold", ids, body, course="person", recommended=True)
        )
    morning = next_morning()
    ends = f"It starts again {day_words(morning)} at {MORNING:%H:%M}."
    stop = {"answer": "stop", "resumes_at": times.iso(morning)}
    answers.append(answer("stop", "3", "Stop for today", ends, "answer_hold", ids, stop, course="stop", undoable=True))
    return answers


class HoldNeeds(NeedKind[Waiting]):
    """Workers that wait for their limit, their provider or a sign-in."""

    kind, group, position, title = "hold", "paused", 10, "Workers that wait for a limit"
    urgency, brief = "waits", "waits for its limit"
    glyph = ("hourglass", "warn")
    table = "worker_holds"
    concerns = ("worker.", "board.", "agent.")
    signals = ("hold_id",)
    takes_back = True
    endings = {
        "worker.continued": "went on",
        "worker.answered": "answered this",
        "=continue": "let it try again",
        "=take_over": "let others take over",
        "=stop": "stopped it for today",
    }
    answers = Answers(
        at="answered_at",
        by="answered_by_user_id",
        where="answered_at IS NOT NULL",
        decision="answer",
        otherwise="answered this",
        words={"continue": "let it try again", "take_over": "let others take over", "stop": "stopped it for today"},
    )

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM worker_holds h JOIN mine ON mine.id = h.board_id WHERE h.ended_at IS NULL AND h.answer IS NULL"
            " AND (h.kind <> 'overload' OR h.created_at <= ?)",
            [times.clock_now() - PATIENCE],
            id="h.id",
            since="h.created_at",
            board_id="h.board_id",
            act_by="h.until",
            version="h.kind || CAST(h.until AS TEXT)",
        )

    def begins(self, since: datetime, until: datetime) -> Condition:
        return LATE, [since - PATIENCE, until - PATIENCE]

    async def read(self, page: Page) -> Mapping[UUID, Waiting]:
        return await self._waiting(page.ids)

    async def _waiting(self, ids: Sequence[UUID]) -> dict[UUID, Waiting]:
        holds, others = await holds_read(f"h.id IN ({placeholders(len(ids))})", *ids), await others_free(ids)
        return {hold.id: Waiting(hold, others[hold.id]) for hold in holds}

    def say(self, page: Page, key: Key, waiting: Waiting) -> Need:
        hold, at = waiting.hold, times.clock_time(waiting.hold.ends)
        minutes = max(0, int((hold.ends - page.now).total_seconds() // 60))
        left = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        workers = f", {len(hold.agents)} workers on one account" if len(hold.agents) > 1 else ""
        return need(
            page,
            key,
            title=waiting.title,
            reason=waiting.keeps,
            url=f"/agents/{hold.agents[0].id}" if hold.agents else f"/boards/{hold.board_id}",
            facts=[
                fact("clock", FACTS[hold.kind].format(at=at, left=left), "warn"),
                fact("bot", waiting.agents),
                fact("laptop", f"{hold.host_label}{workers}"),
                *([fact("message-square", f"“{hold.words}”")] if hold.words else []),
            ],
            tasks=[
                NeedTask(id=task.id, number=task.number, title=task.title, status="in_progress") for task in hold.tasks
            ],
            agent=NeedParty(id=hold.agents[0].id, name=hold.agents[0].name) if hold.agents else None,
            answers=answers_of(waiting),
            otherwise="It continues by itself.",
            at=hold.ends,
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return {
            hold_id: {"worker": waiting.worker, "why": waiting.hold.kind, "keeps": waiting.tasks}
            for hold_id, waiting in (await self._waiting(subjects)).items()
        }

    async def hold(self, hold_id: UUID) -> None:
        await find(Hold, "id = ?", hold_id, lock=True)

    async def undo(self, actor: Actor, board_id: UUID, hold_id: UUID, last: Last) -> None:
        await take_back_answer(actor, await on_visible_board(Hold, actor, board_id, hold_id))

    async def in_words(self, actor: Actor, boards: Boards, ids: Sequence[UUID]) -> Words:
        return {
            hold_id: AnswerWords(waiting.title, f"/boards/{waiting.hold.board_id}")
            for hold_id, waiting in (await self._waiting(ids)).items()
        }


HOLDS = HoldNeeds()


class HoldAsk(NamedTuple):
    """What a person may answer about a hold on a page, and the address that takes it."""

    url: str
    answers: Sequence[NeedAnswer]
    substance: str = ""


async def asks_about(actor: Actor, holds: Sequence[AgentHold | None]) -> dict[UUID, HoldAsk]:
    """Return what a person may answer about some holds, by their ids: who was stopped may continue."""
    ids = tuple(hold.id for hold in holds if hold is not None)
    if not actor.is_user or not ids:
        return {}
    keys = await find_keys(actor, Filter(kinds=(HOLDS.kind,), ids=ids, include="all"), len(ids))
    asks = {
        parse_need_id(need.id)[1]: HoldAsk(f"/needs/{need.id}/answers", need.answers, need.substance)
        for need in await render_needs(actor, keys)
    }
    for hold in await Hold.filter(id__in=ids, answer="stop", ended_at=None).select_related("board"):
        if can(actor, "hold.answer", hold):
            answers = [_continuing(hold.board_id, hold.id)]
            asks[hold.id] = HoldAsk(f"/boards/{hold.board_id}/holds/{hold.id}/answers", answers)
    return asks
