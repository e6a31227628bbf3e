"""What hooks said waits here a moment, so that programs are answered at once; it is written as one report a session.

Only what is kept comes here. A process that crashes loses what waited, a quarter of a second at most.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.usage.schemas import RequestUsage
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError
from mission_control.runs.hooks.reading import Hook, When
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.reports import (
    MOST_ITEMS,
    MOST_REQUESTS,
    ActivityGiven,
    HookReport,
    Past,
    SessionGiven,
    report,
)
from mission_control.runs.sessions.signals import announce

EVERY = timedelta(milliseconds=250)
MOST_WAITING = 20_000  # activities in this process
MOST_OF_SESSION = 2_000
MOST_FACTS = 1_000

_log = logging.getLogger(__name__)


class Part(NamedTuple):
    """What becomes one report of a session."""

    actor: Actor
    data: HookReport

    def takes(self, items: int, requests: int, *, is_late: bool) -> bool:
        report = self.data
        is_open = not report.ended and is_late == (report.past is not None)
        return is_open and len(report.items) + items <= MOST_ITEMS and len(report.usage) + requests <= MOST_REQUESTS


type Place = tuple[UUID | None, UUID | None, str, str]

_waiting: OrderedDict[Place, list[Part]] = OrderedDict()
_dropped: dict[Place, int] = {}
_facts = OrderedDict[Place, SessionGiven]()  # of sessions that have not begun
_writing = asyncio.Lock()


def put(actor: Actor, hook: Hook) -> None:
    """Let an event be written a moment later. Beyond what may wait, its activities are only counted."""
    report = _report(actor, hook.session, len(hook.items), len(hook.usage), hook.when)
    if report is None:
        return
    if report.past is not None:
        report.past = Past(report.past.began, max(report.past.ended, hook.when.at))
    report.is_check = report.is_check or bool(hook.when.check)
    report.items += hook.items
    report.steps += hook.steps
    report.usage += hook.usage
    if hook.plan is not None:
        report.plan, report.steps = hook.plan, []
    report.state = hook.state or report.state
    report.keeps_state = report.state is None
    report.end_reason, report.ended = hook.end_reason, hook.end_reason is not None


def put_usage(actor: Actor, session: SessionGiven, usage: RequestUsage | None) -> None:
    """Let what a request to a model cost be counted a moment later; without one only the session is told of."""
    if (report := _report(actor, session, 0, 1)) is not None and usage is not None:
        report.usage.append(usage)


def _report(
    actor: Actor, session: SessionGiven, items: int, requests: int, when: When | None = None
) -> HookReport | None:
    """Return the report of a session that takes so much more, None where too much waits."""
    place = actor.agent_id, actor.board_id, session.client, session.external_id
    parts = _waiting.setdefault(place, [])
    if items and (_waits(parts) >= MOST_OF_SESSION or sum(map(_waits, _waiting.values())) >= MOST_WAITING):
        _dropped[place] = _dropped.get(place, 0) + items
        return None
    past = Past(when.at, when.at) if when is not None and when.is_late else None
    if not parts or not parts[-1].takes(items, requests, is_late=past is not None):
        parts.append(Part(actor, HookReport.model_construct(session=session, past=past, keeps_state=True)))
    report = parts[-1].data
    report.session = _with(_with(report.session or session, _facts.pop(place, session)), session)
    WRITING.no_later_than(times.clock_now() + EVERY)
    return report


def _waits(parts: Sequence[Part]) -> int:
    return sum(len(part.data.items) for part in parts)


def _with(facts: SessionGiven, more: SessionGiven) -> SessionGiven:
    return facts.model_copy(update=more.model_dump(exclude_none=True))


async def write() -> None:
    """Write what waits. What a database that is away did not take waits on; what is refused is dropped."""
    async with _writing:
        for place in list(_waiting):
            parts = _waiting.pop(place)
            if count := _dropped.pop(place, 0):
                title = f"{count:,} events came faster than they are written"
                parts[-1].data.items[MOST_ITEMS - 1 :] = [ActivityGiven(title=title)]
            try:
                while parts:
                    await _write(place, parts[0])
                    del parts[0]
            except BaseException:  # at its stop the loop is cancelled, and writes once more
                _waiting[place] = [*parts, *_waiting.get(place, [])]
                _waiting.move_to_end(place, last=False)
                raise


def forget() -> None:
    _waiting.clear()
    _dropped.clear()
    _facts.clear()


async def _write(place: Place, part: Part) -> None:
    agent = await Agent.get_or_none(id=place[0])
    if agent is None or agent.board_id != place[1]:
        return
    data = part.data
    if data.session is not None and not (data.items or data.usage or data.steps or data.state):
        same_session = AgentSession.filter(agent_id=agent.id, client=place[2], external_id=place[3])
        if not await same_session.exists():  # some programs tell of one, and end it, that never does anything
            _facts[place] = _with(_facts.get(place, data.session), data.session)
            while len(_facts) > MOST_FACTS:
                _facts.popitem(last=False)
            return
    try:
        done = await report(part.actor, agent.id, agent, data)
    except DomainError as refusal:
        _log.warning("a report of a program was refused: %s", type(refusal).__name__)
        return
    await announce(agent.organization_id, done.session)


WRITING = Loop(
    name="writing what programs report", look=write, pause=60.0, retry=1.0, when=lambda: bool(_waiting), stop=write
)
