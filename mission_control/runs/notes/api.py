"""Notes to agents, stopping their runs and sessions, and putting sessions to tasks, over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, Page, Paging, page
from mission_control.database.sql import Row
from mission_control.http.operation_api import Api
from mission_control.runs import queries
from mission_control.runs.models import AgentSession
from mission_control.runs.notes import commands as notes
from mission_control.runs.notes.stop import RunStop, stop_run
from mission_control.runs.notes.stop import stop_session as stop_session_of
from mission_control.runs.sessions import task_links
from mission_control.runs.sessions.queries import AgentSessionRead, session_read
from mission_control.runs.sessions.signals import announce
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task

api = Api(__name__, "tasks")
SESSION = "/boards/<board_id>/sessions/<session_id>"


@api.post(f"{TASK}/notes", notes.NoteRead, rule="note.send")
async def send_note(actor: Actor, task: Task, data: notes.NoteCreate) -> Row:
    """Send a note to the agent that works on a task.

    The agent gets it with the answer to its next call, at its callback or on its gateway, whichever is first. Without a
    run it is 409 `nobody_works`: write a comment. It expires after a day, or when the run ends before it was offered.
    """
    return await notes.note_read(await notes.send_note(actor, task, data.text))


@api.get(f"{TASK}/notes", Page[notes.NoteRead])
async def list_notes(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List the notes to agents about a task, newest first, and how far each came."""
    return page(*await notes.notes_of_task(task.id, query), query)


@api.post(f"{SESSION}/notes", notes.NoteRead, rule="note.send")
async def send_session_note(actor: Actor, session: AgentSession, data: notes.NoteCreate) -> Row:
    """Send a note to the agent of a session that goes on; else it is 409 `nobody_works`."""
    return await notes.note_read(await notes.send_note_to_session(actor, session, data.text))


@api.get(f"{SESSION}/notes", Page[notes.NoteRead])
async def list_session_notes(actor: Actor, session: AgentSession, query: Paging) -> JsonObject:
    """List the notes to the agent of a session, and to the run that it serves, newest first."""
    return page(*await notes.notes_of_session(session.id, query), query)


@api.post(f"{TASK}/stop", queries.RunRead, rule="task.stop")
async def stop_task(actor: Actor, task: Task, data: RunStop | None) -> Row:
    """Stop the run of a task.

    The run ends, and the task is in the inbox; nobody is given it before a person moves it, assigns it or clears its
    flag. A turn on a gateway is ended at once. Every other agent hears it with the answer to its next call, and its
    writes with the fence of that run are refused. `notified_at` of the run says when it was told.
    """
    return await queries.run_read(await stop_run(actor, task, data.reason if data is not None else None))


@api.post(f"{SESSION}/stop", AgentSessionRead, rule="session.stop")
async def stop_session(actor: Actor, session: AgentSession, data: RunStop | None) -> Row:
    """Stop the run that a session serves, as `stop_task` does; of a session without one stop the turn.

    Every call of that turn is refused then, and the program is told to end it and to say why; reports answer the
    directive `stop`. With the end of the turn this is over. When its turn is over already, it is 409 `nobody_works`.
    """
    stopped = await stop_session_of(actor, session, data.reason if data is not None else None)
    await announce(session.board.organization_id, stopped)
    return await session_read(session.id)


@api.put(f"{SESSION}/task", AgentSessionRead, rule="session.attach")
async def attach_session(actor: Actor, session: AgentSession, data: task_links.SessionAttach) -> Row:
    """Put a session that works on no task to one.

    The task is in progress then, given to the session's agent without a lease, and what the session does from now on
    shows on it. It ends like every other run: when the task is handed in, moved, or given to somebody else.
    """
    await announce(session.board.organization_id, await task_links.attach(actor, session, data.task_id))
    return await session_read(session.id)


@api.delete(f"{SESSION}/task", AgentSessionRead, rule="session.attach")
async def detach_session(actor: Actor, session: AgentSession) -> Row:
    """Take a session off the task that somebody put it to. The task goes to the inbox; what was done stays there."""
    await announce(session.board.organization_id, await task_links.detach(actor, session))
    return await session_read(session.id)
