"""Read the work of agents for a board's file, and store it from one: as history, of which nothing goes on."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

from tortoise.models import Model

from mission_control.boards.models import Board, Run
from mission_control.core.times import wire
from mission_control.core.values import new_id
from mission_control.database.records import find_all
from mission_control.database.sql import Row, as_json, placeholders, rows, wire_moment
from mission_control.events.leases import NOTE, NOTICE, Delivery
from mission_control.runs.models import Activity, AgentSession, Note
from mission_control.runs.notes import commands as notes
from mission_control.runs.sessions.ends import hashed
from mission_control.runs.sessions.queries import OWN
from mission_control.transfer.file import BoardFile
from mission_control.transfer.history_file import ActivityPart, NotePart, OfRun, RunPart, SessionPart

MOST_SESSIONS, MOST_ACTIVITIES = 2_000, 10_000  # the newest, so that files stay small enough for an import
WENT_ON = "The board was exported while it went on."
Numbers = dict[str, int]  # of tasks by id


@dataclass(frozen=True, slots=True)
class History:
    """Which runs (task and fence by id) and sessions (number by id) a file holds, and of which sessions the activities.

    What belongs to tasks in the trash is left out.
    """

    moment: datetime
    runs: dict[str, tuple[int, int]]
    sessions: dict[str, int]
    shown: frozenset[str]

    def run(self, tasks: Numbers, task_id: object, run_id: object) -> Row:
        """Return the fields of OfRun."""
        task, (run_task, fence) = tasks.get(str(task_id)), self.runs.get(str(run_id), (None, None))
        return {"task": task or run_task, "fence": fence if task in (None, run_task) else None}


async def history_of(board_id: UUID, moment: datetime, tasks: Numbers) -> History:
    runs_here = await rows(
        "SELECT id, task_id, fence FROM task_runs WHERE board_id = ? AND started_at <= ?", board_id, moment
    )
    runs = {
        str(row["id"]): (tasks[str(row["task_id"])], int(row["fence"]))
        for row in runs_here
        if str(row["task_id"]) in tasks
    }
    newest = await rows(f"{SESSIONS} ORDER BY s.started_at DESC, s.id DESC LIMIT {MOST_SESSIONS}", board_id, moment)
    shown, left = set(), MOST_ACTIVITIES
    for row in newest:
        if row["seq"] <= left:
            shown.add(str(row["id"]))
            left -= row["seq"]
    sessions = {str(row["id"]): number for number, row in enumerate(reversed(newest), start=1)}
    return History(moment, runs, sessions, frozenset(shown))


SESSIONS = (
    "SELECT s.id, s.seq FROM agent_sessions s LEFT JOIN tasks t ON t.id = s.task_id"
    " WHERE s.board_id = ? AND s.started_at <= ? AND t.deleted_at IS NULL"
)
MADE_OF_RUN = ("evidence", "code", "started_at", "ended_at")
PLAIN_OF_RUN = tuple(name for name in RunPart.model_fields if name not in MADE_OF_RUN)
FILES_OF_CODE = dict.fromkeys(("diff_id", "diff_sha256", "tests_id"))  # files are not in an export
RUNS = f"SELECT id, task_id, started_at, ended_at, evidence, code, {', '.join(PLAIN_OF_RUN)} FROM task_runs"


async def runs_of(history: History, task_ids: Sequence[str]) -> list[tuple[str, Row]]:
    runs = await rows(f"{RUNS} WHERE task_id IN ({placeholders(len(task_ids))}) ORDER BY task_id, fence", *task_ids)
    return [(str(row["task_id"]), _run(row, history)) for row in runs if str(row["id"]) in history.runs]


def _run(row: Row, history: History) -> Row:
    part = {name: row[name] for name in PLAIN_OF_RUN} | {"evidence": as_json(row["evidence"]) or []}
    part |= _period(row, history)
    code = as_json(row["code"])
    part["code"] = code and {name: value for name, value in code.items() if name not in FILES_OF_CODE}
    return part if row["ended_at"] else part | {"state": "released"}


def _period(row: Row, history: History) -> Row:
    """What goes on ends with the export."""
    ended = {"ended_at": wire_moment(row["ended_at"])}
    if row["ended_at"] is None:
        ended = {"ended_at": history.moment, "end_reason": WENT_ON}
    return {"started_at": wire_moment(row["started_at"]), **ended}


LINKS = ("task", "fence", "number", "parent", "external_id", "activities", "digest")
OWN_OF_SESSION = tuple(name for name in SessionPart.model_fields if name not in LINKS)
OWN_OF_ACTIVITY = tuple(name for name in ActivityPart.model_fields if name not in LINKS)


async def sessions_of(history: History, tasks: Numbers, at_once: int) -> AsyncIterator[list[Row]]:
    """Yield pages of the sessions, the oldest first."""
    for ids in batched(history.sessions, at_once, strict=False):
        sessions = await find_all(AgentSession, f"id IN ({placeholders(len(ids))})", *ids)
        yield [
            await _session(session, history, tasks)
            for session in sorted(sessions, key=lambda session: history.sessions[str(session.id)])
        ]


async def _session(session: AgentSession, history: History, tasks: Numbers) -> Row:
    run = history.run(tasks, session.task_id, session.run_id)
    is_of_run = session.client == OWN and session.external_id == str(session.run_id) and run["fence"] is not None
    part = run | {"number": history.sessions[str(session.id)], "parent": history.sessions.get(str(session.parent_id))}
    part |= {"external_id": None if is_of_run else session.external_id}
    part |= {name: getattr(session, name) for name in OWN_OF_SESSION}
    if session.ended_at is None:
        part |= {"ended_at": history.moment, "end_reason": WENT_ON}
    activities = await _activities(session, history)
    digest = hashlib.sha256(b"".join(map(hashed, activities))).hexdigest()
    part["digest"] = digest if digest == session.digest else None
    return part | {"activities": [_activity(activity, history, tasks) for activity in activities]}


def _activity(activity: Activity, history: History, tasks: Numbers) -> Row:
    return history.run(tasks, None, activity.run_id) | {name: getattr(activity, name) for name in OWN_OF_ACTIVITY}


async def _activities(session: AgentSession, history: History) -> list[Activity]:
    if str(session.id) not in history.shown:
        return []
    done = await find_all(Activity, "session_id = ? AND at <= ? ORDER BY seq", session.id, history.moment)
    return [activity for activity in done if activity.run_id is None or str(activity.run_id) in history.runs]


NOTES = f"SELECT {notes.COLUMNS}, u.email AS sent_by{notes.SOURCE}"
MOMENTS = tuple(name for name in NotePart.model_fields if name.endswith("_at"))


def note(row: Row, history: History, tasks: Numbers) -> Row | None:
    """None where its task is in the trash. One that waited has expired."""
    read = notes.as_read(row)
    if read["task_id"] is not None and str(read["task_id"]) not in tasks:
        return None
    part = history.run(tasks, read["task_id"], read["run_id"])
    part |= {name: read[name] for name in ("sent_by", "text", *MOMENTS)}
    part["session"] = history.sessions.get(str(read["session_id"]))
    return part | {"expired_at": history.moment} if read["state"] == "waiting" else part


@dataclass(frozen=True, slots=True)
class Work:
    """The work of agents in a file that is imported to a board, and its new ids."""

    board: Board
    file: BoardFile
    tasks: dict[int, UUID]
    runs: dict[tuple[int | None, int | None], UUID]
    sessions: dict[int | None, UUID]

    @classmethod
    def of(cls, board: Board, file: BoardFile, tasks: dict[int, UUID]) -> "Work":
        runs: dict[tuple[int | None, int | None], UUID] = {
            (part.number, run.fence): new_id() for part in file.tasks for run in part.runs
        }
        return cls(board, file, tasks, runs, {part.number: new_id() for part in file.sessions})

    def rows(self, sender: Callable[[NotePart], UUID | None]) -> tuple[Iterator[Model], ...]:
        """Return all of it as rows, those of one table after the other."""
        noted = [(new_id(), part) for part in self.file.notes]
        return (
            self._runs(),
            self._sessions(),
            self._activities(),
            (self._note(note_id, part, sender(part)) for note_id, part in noted),
            (self._notice(note_id, part) for note_id, part in noted if part.offered_at),
        )

    def _of_run(self, part: OfRun) -> dict[str, UUID | None]:
        return {"run_id": self.runs.get((part.task, part.fence))}

    def _of_task(self, part: OfRun) -> dict[str, UUID | None]:
        return self._of_run(part) | {"task_id": self.tasks[part.task] if part.task else None}

    def _runs(self) -> Iterator[Run]:
        for task in self.file.tasks:
            for part in task.runs:
                fields = part.model_dump() | {
                    "evidence": [one.model_dump(mode="json") for one in part.evidence] or None,
                    "code": part.code and part.code.model_dump(mode="json") | FILES_OF_CODE,
                }
                run_id = self.runs[task.number, part.fence]
                yield Run(id=run_id, board_id=self.board.id, task_id=self.tasks[task.number], **fields)

    def _sessions(self) -> Iterator[AgentSession]:
        for part in self.file.sessions:
            of_task = self._of_task(part)
            yield AgentSession(
                id=self.sessions[part.number],
                board_id=self.board.id,
                parent_id=self.sessions.get(part.parent),
                external_id=part.external_id or str(of_task["run_id"]),
                state="ended",
                state_at=part.ended_at,
                digest=part.digest,
                **of_task,
                **part.model_dump(include={*OWN_OF_SESSION}, exclude_none=True),
            )

    def _activities(self) -> Iterator[Activity]:
        for session in self.file.sessions:
            for part in session.activities:
                fields = part.model_dump(include={*OWN_OF_ACTIVITY})
                yield Activity(id=new_id(), session_id=self.sessions[session.number], **self._of_run(part), **fields)

    def _note(self, note_id: UUID, part: NotePart, user_id: UUID | None) -> Note:
        return Note(
            id=note_id,
            board_id=self.board.id,
            user_id=user_id,
            session_id=self.sessions.get(part.session),
            **self._of_task(part),
            **part.model_dump(include={"text", "created_at", "expires_at", "expired_at"}),
        )

    def _notice(self, note_id: UUID, part: NotePart) -> Delivery:
        """Return the notice of a note, which says how far that came. It goes to nobody."""
        return Delivery(
            id=note_id,
            organization_id=self.board.organization_id,
            board_id=self.board.id,
            task_id=self.tasks[part.task] if part.task else None,
            kind=NOTICE,
            header=NOTE,
            text="",
            data={"read_at": part.read_at and wire(part.read_at)},
            state="sent",
            **part.model_dump(include={"created_at", "offered_at", "taken_at"}),
        )
