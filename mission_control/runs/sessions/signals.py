"""Tell live readers that sessions changed, each at most once a second."""

from datetime import datetime, timedelta
from uuid import UUID

from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.events.broker import Signal
from mission_control.events.reader_wakeups import publish_signals
from mission_control.runs.models import AgentSession

EVERY = timedelta(seconds=1)

# When each session was announced last, and those that are announced later.
_last: dict[UUID, datetime] = {}
_later: dict[UUID, tuple[UUID, Signal]] = {}


async def announce(organization_id: UUID, session: AgentSession) -> None:
    """Signal that a session changed, after the commit: at once, or when a second is over since the last time."""
    about = {"session_id": session.id, "board_id": session.board_id, "task_id": session.task_id}
    news: tuple[UUID, Signal]
    news = organization_id, {name: str(value) for name, value in about.items() if value is not None}
    now = times.clock_now()
    due = _last.get(session.id, now - EVERY) + EVERY
    if due <= now and session.id not in _later:
        _last[session.id] = now
        await publish_signals([news])
    else:
        _later[session.id] = news
        ANNOUNCING.no_later_than(min(due, now + EVERY))


async def announce_due() -> float:
    """Send what is due; return the seconds until the next, or until what is over can be forgotten."""
    now = times.clock_now()
    due = [key for key in _later if _last.get(key, now - EVERY) <= now - EVERY]
    news = [_later.pop(key) for key in due]
    _last.update(dict.fromkeys(due, now))
    for key in [key for key, moment in _last.items() if moment <= now - EVERY and key not in _later]:
        del _last[key]
    await publish_signals(news)
    return min(((_last[key] + EVERY - now).total_seconds() for key in _later), default=ANNOUNCING.pause)


ANNOUNCING = Loop(name="announcing sessions", look=announce_due, pause=60.0)
