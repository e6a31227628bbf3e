"""What the panel of a task shows of the work that goes on: plan, step, cost, and what was done so far."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.approvals.needs import asked_items
from mission_control.boards.parking import ASK_PAGE, ASKED_PERSON, HOLD_JOIN, HOLD_UNTIL
from mission_control.boards.queries import SEEN_IN, shortly
from mission_control.core import times
from mission_control.core.amounts import MICROS, short, spent
from mission_control.core.programs import program_name
from mission_control.database.sql import Row, as_json, as_moment, rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.runs.sessions.queries import COLUMNS, OWN, ActivityQuery, activities_of, signs
from mission_control.runs.sessions.view import Act, acts_of, changed_files, folded, plan_of, state_of
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.panel.frame import Panel, concerns_panel, panel_in, panel_region
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Concerns

TEMPLATE = "runs/work.html"
MOST_ACTIVITIES = 200  # the newest that a panel reads
MOST_LINES = 30
# The run of a task that goes on, as `r`, with the session in which that is seen.
RUNNING = f"""
    SELECT {COLUMNS}, r.id AS running_id, r.agent_name AS worker_name, r.started_at AS run_since, r.lease_expires_at,
        r.ready_at, CASE WHEN r.parked_at IS NOT NULL THEN {ASKED_PERSON} END AS asked_name,
        CASE WHEN r.parked_at IS NOT NULL THEN {ASK_PAGE} END AS ask_page,
        wh.program AS hold_program, wh.host_label AS hold_host, {HOLD_UNTIL} AS hold_until,
        r.input_tokens + r.output_tokens AS run_tokens, r.cost_micros AS run_cost,
        r.unpriced_tokens AS run_unpriced, r.gaps AS run_gaps
    FROM task_runs r
    LEFT JOIN agent_sessions s ON s.id = {SEEN_IN}
    LEFT JOIN agents g ON g.id = r.agent_id
    {HOLD_JOIN}
    LEFT JOIN tasks t ON t.id = r.task_id
    WHERE r.task_id = ? AND r.ended_at IS NULL
"""
# What stands in the head of the box behind the agent's name, by the state of the work.
HEADS = {
    "ready": "has its answer and goes on",
    "waiting": "waits for an answer",
    "stuck": "is stuck",
    "lost": "gives no sign",
    "idle": "has finished its turn",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What an agent does on a task now, and the newest of what it did."""

    run: Row
    session: Row | None
    acts: list[Act]
    total: int

    @property
    def state(self) -> str:
        return str(self.run["shown_state"])

    @property
    def head(self) -> str:
        if self.run["hold_until"] is not None:
            program = self.run["hold_program"]
            return f"waits for {program_name(program, program)} on {self.run['hold_host']} until"
        whom = self.run["asked_name"] if self.state == "waiting" else None
        return HEADS.get(self.state, "works on this") + (f" of {whom}" if whom else "")

    @property
    def lines(self) -> list[Act]:
        return folded(self.acts)[-MOST_LINES:]

    @property
    def figures(self) -> str:
        used, gaps = self.run["run_tokens"], self.run["run_gaps"]
        said = spent(self.run["run_cost"] / MICROS, used, self.run["run_unpriced"], gaps)
        return ", ".join([*said, f"{short(used, gaps)} tokens"] if used else said)

    @property
    def files(self) -> list[str]:
        return changed_files(self.acts) if self.total <= MOST_ACTIVITIES else []

    @property
    def url(self) -> str:
        return f"/boards/{self.session['board_id']}/sessions/{self.session['id']}" if self.session else ""


async def work_of(view: BoardView, task_id: UUID) -> Work | None:
    return await view.reads.get(("work", task_id), lambda: _read(task_id))


async def _read(task_id: UUID) -> Work | None:
    found = await rows(RUNNING, task_id)
    if not found:
        return None
    row, now = found[0], times.clock_now()
    has_session = row["id"] is not None
    if not has_session:
        row |= {"client": OWN, "state": "working", "failures": 0, "last_seen_at": row["run_since"], "plan": None}
    row |= signs(row, now)
    row |= {
        name: as_moment(row[name])
        for name in (
            "run_since",
            "lease_expires_at",
            "parked_at",
            "ready_at",
            "doing_at",
            "state_at",
            "started_at",
            "hold_until",
        )
    }
    row |= {"plan": as_json(row["plan"]) or []}
    row |= {"shown_state": state_of(row), "steps": plan_of(row), "doing_words": shortly(row["doing"] or "")}
    page = await activities_of(UUID(str(row["id"])), ActivityQuery(limit=MOST_ACTIVITIES)) if has_session else None
    acts = acts_of(page.items, is_open=True) if page else []
    return Work(row, row if has_session else None, acts, page.total if page else 0)


async def box(view: BoardView, panel: Panel) -> str:
    work = await work_of(view, panel.id) if panel.status == "in_progress" else None
    return "" if work is None else render_macro(TEMPLATE, "box", panel=panel, work=work)


def concerns_work(view: BoardView, news: News) -> bool:
    if isinstance(news, Event) or "session_id" in news:
        return concerns_panel(view, news)
    return news.get("board_id") == str(view.board.id)


async def box_changes(view: BoardView, batch: Batch) -> str | None:
    if batch.events or any("session_id" in signal for signal in batch.signals):
        return None
    panel = await panel_in(view)
    if panel is None or all(str(signal["agent_id"]) != str(panel.assigned_agent_id) for signal in batch.signals):
        return ""
    return None


# What the program asks people that is at work on a task.
ASKS = (
    "SELECT a.id FROM agent_sessions s JOIN task_runs r ON r.id = s.run_id JOIN approvals a ON a.session_id = s.id"
    " WHERE r.task_id = ? AND r.ended_at IS NULL AND a.status = 'pending' ORDER BY a.created_at, a.id"
)


async def asks(view: BoardView, panel: Panel) -> str:
    ids = [UUID(str(row["id"])) for row in await rows(ASKS, panel.id)] if panel.status == "in_progress" else []
    found = await asked_items(view.actor, [view.board], ids)
    shown = {"next_url": panel.url, "show_board": False}
    return "".join(render_macro("approvals/rows.html", "approval_row", item=one, **shown) for one in found)


def _concerns_asks(view: BoardView, news: News) -> bool:
    if isinstance(news, Event) and news.kind.startswith("approval."):
        return news.board_id == view.board.id
    return concerns_panel(view, news)


NEWS = Concerns[BoardView](("task.", "session."), ("session_id", "agent_id"), concerns_work)
ASKING = Concerns[BoardView](("task.status_changed", "task.updated", "approval."), (), _concerns_asks)
REGIONS = (panel_region("work", NEWS, box, box_changes), panel_region("asks", ASKING, asks))


async def run_changes(view: BoardView, panel: Panel) -> str:
    work = await work_of(view, panel.id)
    if work is None or not work.acts:
        return ""
    return partial(
        f"#run-acts-{work.run['running_id']}",
        render_macro(TEMPLATE, "done_so_far", panel=panel, work=work),
        "innerMorph",
    )
