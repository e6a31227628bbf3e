"""Sessions of agents and what they did, written without an agent."""

from datetime import timedelta
from typing import Any

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.events.reader_wakeups import publish_signal
from mission_control.runs.models import Activity, AgentSession
from tests.cast import Cast


async def begin(cast: Cast, task: dict[str, Any], **fields: Any) -> AgentSession:
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    run = await Run.get(task_id=task["id"], ended_at=None)
    what = {
        "doing": "Ran `make test`",
        "doing_at": times.clock_now(),
        "external_id": str(run.id),
        "title": task["title"],
    }
    return await AgentSession.create(
        board_id=cast.board.id, agent_id=run.agent_id, agent_name=run.agent_name, run_id=run.id, task_id=run.task_id,
        **{**what, **fields},
    )  # fmt: skip


async def act(session: AgentSession, *titles: str, kind: str = "TOOL_CALL_END", **fields: Any) -> None:
    """Let things happen in a session, one second after the other; the newest is what it does."""
    began = times.clock_now() - timedelta(seconds=len(titles))
    for index, title in enumerate(titles):
        session.seq += 1
        session.doing, session.doing_at = title, began + timedelta(seconds=index)
        what = {"state": "ok", "at": session.doing_at} | fields
        await Activity.create(
            session_id=session.id, seq=session.seq, run_id=session.run_id, kind=kind, title=title, **what
        )
    await session.save(update_fields=["seq", "doing", "doing_at"])


async def announce(cast: Cast, session: AgentSession) -> None:
    """Tell open pages that something happened in a session."""
    about = {"session_id": session.id, "board_id": cast.board.id, "task_id": session.task_id}
    await publish_signal(cast.organization.id, **{name: str(one) for name, one in about.items()})


async def put(session: AgentSession, **fields: Any) -> None:
    await AgentSession.filter(id=session.id).update(**fields)
