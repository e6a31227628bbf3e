"""The ends of sessions: of those that give no sign, of those whose run is over; and what is deleted after some time."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from quart import Quart

from mission_control.background.loops import Loop
from mission_control.boards.queries import SILENT_AFTER
from mission_control.core import extensions, times
from mission_control.core.actor import Actor, OnlySystem, Scope, system
from mission_control.database.records import find, find_all, update
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent, canonical
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.runs.models import Activity, AgentSession
from mission_control.runs.sessions.queries import COLUMNS, IS_OVER_WITH_RUN, OWN, RELATIONS, signs
from mission_control.runs.sessions.signals import announce

EVENTS = (
    Kind("session.stalled", "A session that worked gave no sign for 15 minutes.", "missed a sign of the agent at"),
    Kind("session.ended", "A session ended; its digest proves what was reported in it.", "closed a session at"),
)
ONLY_SYSTEM = OnlySystem("session.keep")

ENDED = ("ended_at", "end_reason", "digest", "is_doing_over", "state", "state_at")
AFTER_RUN = timedelta(minutes=1)  # for what is reported after the hand-in
OVER_AFTER = timedelta(hours=24)
SILENT = "It gave no sign for a day."
AT_ONCE, DELETED_AT_ONCE = 100, 1_000
A_CENTURY = 36_500


def scope_of(organization_id: UUID, session: AgentSession) -> Scope:
    return Scope(organization_id, session.board_id, session.task_id, session.agent_id, session.id)


async def end(organization_id: UUID, session: AgentSession, reason: str | None, at: datetime | None = None) -> None:
    """End a session, which the calling command holds and saves, and record the digest of its activities."""
    session.ended_at, session.end_reason = at or times.clock_now(), reason
    session.state, session.state_at, session.is_doing_over = "ended", session.ended_at, True
    session.digest, count = await digest_of(session.id)
    ending = f" {reason.rstrip('.')}." if reason else ""
    record(
        "session.ended", scope_of(organization_id, session), f"A session of {session.agent_name} ended.{ending}",
        digest=session.digest, activities=count, client=session.client,
    )  # fmt: skip


async def digest_of(session_id: UUID) -> tuple[str, int]:
    digest, count, seq = hashlib.sha256(), 0, -1
    while activities := await find_all(
        Activity, f"session_id = ? AND seq > ? ORDER BY seq LIMIT {DELETED_AT_ONCE}", session_id, seq
    ):
        for activity in activities:
            digest.update(hashed(activity))
        count, seq = count + len(activities), activities[-1].seq
    return digest.hexdigest(), count


HASHED = ("seq", "at", "kind", "title", "state", "ref", "detail")


def hashed(activity: object) -> bytes:
    values = (getattr(activity, name) for name in HASHED)
    covered = [value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value for value in values]
    return canonical(covered).encode()


async def digest_faults(days: int) -> tuple[int, list[str]]:
    """Compare the activities of ended sessions with the digests that the logs have of them.

    Return how many sessions were compared, and the faults in sentences. Sessions of which activities may have been
    deleted are left out; `days` is for how long those are kept. What came with a board's file was checked at its
    import; these logs have no digest of it, so that it is compared with that of the row.
    """
    since = times.clock_now() - timedelta(days=(days or A_CENTURY) - 1)
    digests = {str(row["subject_id"]): as_json(row["data"])["digest"] for row in await rows(DIGESTS)}
    ended = await find_all(AgentSession, "ended_at IS NOT NULL AND digest IS NOT NULL AND started_at > ?", since)
    changed = [
        session
        for session in ended
        if {digests.get(str(session.id), session.digest), (await digest_of(session.id))[0]} != {session.digest}
    ]
    sentence = "What was reported in session {} of {} was changed afterwards."
    return len(ended), [sentence.format(session.id, session.agent_name) for session in changed]


DIGESTS = "SELECT subject_id, data FROM events WHERE kind = 'session.ended' ORDER BY organization_id, seq"


IS_FREE = "(r.id IS NULL OR r.ended_at IS NOT NULL)"
# SQL on the relations of `s`, a session: its run is over for a minute; it serves none and gave no sign for a day; it
# works, waits for nobody, and gives no sign. The values are those moments.
DUE = (
    f"s.ended_at IS NULL AND (({IS_OVER_WITH_RUN} AND r.ended_at < ?)"
    f" OR (s.last_seen_at < ? AND {IS_FREE})"
    " OR (s.state = 'working' AND s.last_seen_at < ? AND (r.parked_at IS NULL OR r.ended_at IS NOT NULL)"
    f" AND (s.client <> '{OWN}' OR g.last_seen_at IS NULL OR g.last_seen_at < ?)))"
)


def _moments() -> list[datetime]:
    now = times.clock_now()
    return [now - age for age in (AFTER_RUN, OVER_AFTER, SILENT_AFTER, SILENT_AFTER)]


async def look() -> None:
    due = await rows(
        f"SELECT s.id, b.organization_id{RELATIONS} JOIN boards b ON b.id = s.board_id WHERE {DUE} LIMIT {AT_ONCE}",
        *_moments(),
    )
    for row in due:
        organization_id, session_id = UUID(str(row["organization_id"])), UUID(str(row["id"]))
        session = await keep(system(organization_id), organization_id, session_id)
        if session is not None:
            await announce(organization_id, session)


@command("session.keep")
async def keep(actor: Actor, organization_id: UUID, session_id: UUID) -> AgentSession | None:
    """End a session whose time is over, or record that it gives no sign. Return None where neither is still due."""
    session = await find(AgentSession, "id = ?", session_id, lock=True)
    due = await rows(
        f"SELECT {COLUMNS}, {IS_FREE} AS is_free{RELATIONS} WHERE s.id = ? AND {DUE}", session_id, *_moments()
    )
    if session is None or not due:
        return None
    sign, now = signs(due[0], times.clock_now()), times.clock_now()
    if sign["state"] == "ended":
        await end(organization_id, session, sign["end_reason"], sign["ended_at"])
    elif session.last_seen_at < now - OVER_AFTER and due[0]["is_free"]:
        await end(organization_id, session, SILENT)
    else:
        session.state, session.state_at = "lost", now
        message = f"A session of {session.agent_name} gave no sign for 15 minutes."
        record("session.stalled", scope_of(organization_id, session), message, doing=session.doing)
    await update(session, *ENDED)
    return session


KEEPING = Loop(name="looking for sessions that ended", look=look, pause=15.0)

_days = 0


@extensions.prepare
def prepare(app: Quart) -> None:
    global _days
    _days = app.config["SETTINGS"].activity_days


async def delete_old() -> None:
    """Delete activities that are older than people want to keep, in pieces; 0 days: none are."""
    if not _days:
        return
    if (age := await oldest_age()) is None or age < _days:
        return  # without the lock that a DELETE takes on SQLite
    before = times.clock_now() - timedelta(days=_days)
    old = f"SELECT id FROM session_activities WHERE at < ? LIMIT {DELETED_AT_ONCE}"
    while await rows(f"DELETE FROM session_activities WHERE id IN ({old}) RETURNING 1 AS one", before):
        pass


@reacts_to("task.erased")
async def erase_with_task(actor: Actor, event: NewEvent) -> None:
    """Delete what was reported of a task that is deleted for good; what a session did for other tasks stays."""
    of_runs = "SELECT id FROM task_runs WHERE task_id = ?"
    touched = f"id IN (SELECT session_id FROM session_activities WHERE run_id IN ({of_runs}))"
    cleared = ", ".join(f"{name} = NULL" for name in ("digest", "doing", "failing", "plan", "title"))
    task_id = event.scope.task_id
    for sql in (
        f"DELETE FROM agent_sessions WHERE client = '{OWN}' AND task_id = ? AND external_id = CAST(run_id AS TEXT)",
        f"UPDATE agent_sessions SET {cleared} WHERE {touched}",
        f"DELETE FROM session_activities WHERE run_id IN ({of_runs})",
        "UPDATE agent_sessions SET task_id = NULL, run_id = NULL WHERE task_id = ?",
    ):
        await rows(sql, task_id)


async def oldest_age() -> int | None:
    [row] = await rows("SELECT MIN(at) AS at FROM session_activities")
    oldest = as_moment(row["at"])
    return None if oldest is None else (times.clock_now() - oldest).days


FORGETTING = Loop(name="deleting old activities", look=delete_old, pause=3600.0)
