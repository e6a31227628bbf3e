"""What hooks said waits here a moment, so that programs are answered at once; it is written as one report a session.

Only what is kept comes here. A process that crashes loses what waited, a quarter of a second at most.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.usage_schemas import RequestUsage
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError
from mission_control.runs.hook_reading import Hook, When
from mission_control.runs.models import AgentSession
from mission_control.runs.session_reports import (
    MOST_ITEMS,
    MOST_REQUESTS,
    ActivityGiven,
    HookReport,
    SessionGiven,
    StepChange,
    StepGiven,
    report,
)
from mission_control.runs.session_signals import announce
from mission_control.work.loops import Loop

EVERY = timedelta(milliseconds=250)
MOST_WAITING = 20_000  # activities in this process
MOST_OF_SESSION = 2_000
MOST_FACTS = 1_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """What becomes one report of a session."""

    actor: Actor
    session: SessionGiven
    items: list[ActivityGiven] = field(default_factory=list)
    plan: list[StepGiven] | None = None
    steps: list[StepChange] = field(default_factory=list)
    usage: list[RequestUsage] = field(default_factory=list)
    state: Any = None
    end_reason: str | None = None
    is_check: bool = False
    late: tuple[datetime, datetime] | None = None  # when the first and the last of it happened, if all of it comes late

    def takes(self, items: int, requests: int, *, is_late: bool) -> bool:
        is_open = self.end_reason is None and is_late == (self.late is not None)
        return is_open and len(self.items) + items <= MOST_ITEMS and len(self.usage) + requests <= MOST_REQUESTS

    def report(self) -> HookReport:
        return HookReport(
            session=self.session,
            items=self.items,
            plan=self.plan,
            steps=self.steps,
            usage=self.usage,
            state=self.state,
            keeps_state=self.state is None,
            ended=self.end_reason is not None,
            end_reason=self.end_reason,
            is_check=self.is_check,
            late=self.late,
        )


type Place = tuple[UUID | None, UUID | None, str, str]

_waiting: OrderedDict[Place, list[Part]] = OrderedDict()
_dropped: dict[Place, int] = {}
_facts = OrderedDict[Place, SessionGiven]()  # of sessions that have not begun
_writing = asyncio.Lock()


def put(actor: Actor, hook: Hook) -> None:
    """Let an event be written a moment later. Beyond what may wait, its activities are only counted."""
    part = _part(actor, hook.session, len(hook.items), len(hook.usage), hook.when)
    if part is None:
        return
    if part.late is not None:
        part.late = part.late[0], max(part.late[1], hook.when.at)
    part.is_check = part.is_check or bool(hook.when.check)
    part.items += hook.items
    part.steps += hook.steps
    part.usage += hook.usage
    if hook.plan is not None:
        part.plan, part.steps = hook.plan, []
    part.state = hook.state or part.state
    part.end_reason = hook.end_reason


def put_usage(actor: Actor, session: SessionGiven, usage: RequestUsage | None) -> None:
    """Let what a request to a model cost be counted a moment later; without one only the session is told of."""
    if (part := _part(actor, session, 0, 1)) is not None and usage is not None:
        part.usage.append(usage)


def _part(actor: Actor, session: SessionGiven, items: int, requests: int, when: When | None = None) -> Part | None:
    place = actor.agent_id, actor.board_id, session.client, session.external_id
    parts = _waiting.setdefault(place, [])
    waits = sum(len(one.items) for one in parts)
    if items and (waits >= MOST_OF_SESSION or sum(len(o.items) for p in _waiting.values() for o in p) >= MOST_WAITING):
        _dropped[place] = _dropped.get(place, 0) + items
        return None
    late = (when.at, when.at) if when is not None and when.is_late else None
    if not parts or not parts[-1].takes(items, requests, is_late=late is not None):
        parts.append(Part(actor, session, late=late))
    known = _with(parts[-1].session, _facts.pop(place, session))
    parts[-1].session = _with(known, session)
    WRITING.no_later_than(times.clock_now() + EVERY)
    return parts[-1]


def _with(known: SessionGiven, more: SessionGiven) -> SessionGiven:
    return known.model_copy(update=more.model_dump(exclude_none=True))


async def write() -> None:
    """Write what waits. What a database that is away did not take waits on; what is refused is dropped."""
    async with _writing:
        for place in list(_waiting):
            parts = _waiting.pop(place)
            if count := _dropped.pop(place, 0):
                title = f"{count:,} events came faster than they are written"
                parts[-1].items[MOST_ITEMS - 1 :] = [ActivityGiven(title=title)]
            try:
                while parts:
                    await _write(place, parts[0])
                    del parts[0]
            except BaseException:  # at its stop the loop is cancelled, and writes once more
                _waiting[place] = [*parts, *_waiting.get(place, [])]
                _waiting.move_to_end(place, last=False)
                raise


def forget() -> None:
    """Drop what waits."""
    _waiting.clear()
    _dropped.clear()
    _facts.clear()


async def _write(place: Place, part: Part) -> None:
    agent = await Agent.get_or_none(id=place[0])
    if agent is None or agent.board_id != place[1]:
        return
    if not (part.items or part.usage or part.steps or part.state):
        known = AgentSession.filter(agent_id=agent.id, client=place[2], external_id=place[3])
        if not await known.exists():  # some programs tell of one, and end it, that never does anything
            _facts[place] = _with(_facts.get(place, part.session), part.session)
            while len(_facts) > MOST_FACTS:
                _facts.popitem(last=False)
            return
    try:
        done = await report(part.actor, agent.id, agent, part.report())
    except DomainError as refusal:
        _log.warning("a report of a program was refused: %s", type(refusal).__name__)
        return
    await announce(agent.organization_id, done.session)


WRITING = Loop(
    name="writing what programs report", look=write, pause=60.0, retry=1.0, when=lambda: bool(_waiting), stop=write
)
