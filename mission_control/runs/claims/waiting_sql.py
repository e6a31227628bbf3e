"""Build the statement that finds what tasks wait for: one SELECT per kind of reason."""

from datetime import datetime
from uuid import UUID

from mission_control.approvals.payloads import FINISHING
from mission_control.boards.parking import ASKED_PERSON, HOLD_JOIN, HOLD_UNTIL, IS_PARKED
from mission_control.boards.queries import PERSON, SILENT_AFTER, online_sql
from mission_control.core import times
from mission_control.database.sql import placeholders

Part = tuple[str, list[object]]

# How far the best worker of a board gets towards taking an unassigned task.
(
    NO_WORKER, OTHER_TAGS, NO_TAGS, NO_TOKEN, NONE_ONLINE, ALL_STOPPED, ALL_PAUSED, ALL_OVER_BUDGET, ALL_FULL, ABLE,
) = range(10)  # fmt: skip

ASKED = (
    "SELECT t.id, t.status, t.board_id, b.organization_id, t.assigned_agent_id AS agent_id,"
    " t.assigned_user_id AS user_id, COALESCE(t.previous_in_progress_at, t.in_progress_at) AS work_since,"
    " t.flagged_at, t.flag_reason, t.retry_at, t.not_before, t.failed_attempts, t.attempt, t.fence, b.wip_limits,"
    " b.require_approval_for_done, b.resume_after_seconds,"
    " b.require_review_before_done, b.comment_required_for_review, b.only_lead_can_change_status,"
    " b.block_status_changes_with_pending_approval, b.name AS board_name, b.work_state AS board_state,"
    " b.work_state_reason AS board_reason, b.work_state_at AS board_state_at, o.name AS organization_name,"
    " o.work_state AS organization_state, o.work_state_reason AS organization_reason,"
    " o.work_state_at AS organization_state_at, a.name AS agent_name, a.work_state AS agent_state,"
    " a.work_state_reason AS agent_reason, a.work_state_at AS agent_state_at, a.last_seen_at,"
    f" a.wip_limit AS agent_limit, a.is_board_lead AS agent_leads, {PERSON} AS user_name"
    " FROM tasks t JOIN boards b ON b.id = t.board_id JOIN organizations o ON o.id = b.organization_id"
    " LEFT JOIN agents a ON a.id = t.assigned_agent_id LEFT JOIN users u ON u.id = t.assigned_user_id"
    " WHERE t.id IN ({ids}) AND t.status <> 'done' AND t.deleted_at IS NULL"
)
FILLED = (
    "SELECT s.board_id, s.status, COUNT(*) AS n FROM tasks s WHERE s.status IN ('in_progress', 'review')"
    " AND s.deleted_at IS NULL AND s.archived_at IS NULL"
    " AND s.board_id IN (SELECT w.board_id FROM w WHERE w.wip_limits IS NOT NULL)"
    " GROUP BY s.board_id, s.status"
)
NOTHING = {
    "ref_id": "CAST(NULL AS TEXT)", "name": "CAST(NULL AS TEXT)", "since": "CAST(NULL AS TIMESTAMP)",
    "until": "CAST(NULL AS TIMESTAMP)", "number": "CAST(NULL AS BIGINT)", "detail": "CAST(NULL AS TEXT)",
    "why": "CAST(NULL AS TEXT)",
}  # fmt: skip
# A task that agents deal with, not a person.
AGENTS_TURN = "w.user_id IS NULL AND (w.status <> 'review' OR w.agent_id IS NOT NULL)"
ASSIGNABLE = "w.status = 'inbox' AND w.user_id IS NULL"
FINISHES = f"LOWER(p.action_type) IN ({', '.join(f"'{word}'" for word in FINISHING)})"
UNMET_APPROVAL = (
    "w.require_approval_for_done AND (w.status = 'review'"
    " OR (w.status = 'in_progress' AND NOT w.require_review_before_done))"
    " AND NOT EXISTS (SELECT 1 FROM approval_task_links k JOIN approvals p ON p.id = k.approval_id"
    " WHERE k.task_id = w.id"
    " AND (k.is_pending OR (p.status = 'approved' AND p.resolved_by_kind IN ('user', 'policy')"
    f" AND k.asked_attempt = w.attempt AND {FINISHES})))"
)
# A review without an effect: people decide, and nothing else is required.
WAITS_FOR_PEOPLE = (
    f"(NOT w.require_review_before_done AND (({UNMET_APPROVAL}) OR EXISTS (SELECT 1"
    " FROM approval_task_links k WHERE k.task_id = w.id AND k.is_pending)))"
)
UNMET_COMMENT = (
    "w.comment_required_for_review AND w.status = 'in_progress' AND NOT EXISTS (SELECT 1 FROM task_comments c"
    " WHERE c.task_id = w.id AND c.deleted_at IS NULL AND c.created_at >= w.work_since"
    " AND (c.agent_id = w.agent_id OR c.user_id = w.user_id))"
)
IS_OVER = "((x.period = 'day' AND x.exceeded_on = ?) OR (x.period = 'total' AND x.exceeded_on IS NOT NULL))"
HELD_COUNT = (
    "(SELECT COUNT(*) FROM tasks t WHERE t.assigned_agent_id = {agent} AND t.status = 'in_progress'"
    f" AND t.deleted_at IS NULL AND NOT {IS_PARKED})"
)
TAKES_ITS_TAGS = (
    "({agent}.claim_tags IS NULL OR EXISTS (SELECT 1 FROM tag_assignments y JOIN tags g ON g.id = y.tag_id"
    " WHERE y.task_id = w.id AND CAST({agent}.claim_tags AS TEXT) LIKE '%\"' || g.slug || '\"%'))"
)


# A token with which an agent may work has not ended.
MAY_WORK = (
    "EXISTS (SELECT 1 FROM tokens k WHERE k.agent_id = {agent} AND k.revoked_at IS NULL"
    " AND (k.expires_at IS NULL OR k.expires_at > ?) AND (k.scopes IS NULL"
    " OR CAST(k.scopes AS TEXT) LIKE '%\"work\"%' OR CAST(k.scopes AS TEXT) LIKE '%\"lead\"%'))"
)
# The outcome of the last decided request; `approved` is one of an earlier attempt, where it does not count.
LAST_DECISION = (
    "(SELECT COALESCE(p.decision, p.status) FROM approval_task_links k JOIN approvals p ON p.id = k.approval_id"
    f" WHERE k.task_id = w.id AND {FINISHES} AND p.status IN ('approved', 'rejected')"
    " AND p.resolved_by_kind IN ('user', 'policy')"
    " ORDER BY p.resolved_at DESC, p.id DESC LIMIT 1)"
)


ASSIGNEE = {"ref_id": "CAST(w.agent_id AS TEXT)", "name": "w.agent_name"}


def statement(task_ids: list[UUID]) -> Part:
    now = times.clock_now()
    parts = [*_own(now), *_of_people(), *_of_rules(), *_of_agents(now), *_limits(now.date().isoformat())]
    asked = ASKED.format(ids=placeholders(len(task_ids)))
    sql = f"WITH w AS ({asked}), f AS ({FILLED}) " + " UNION ALL ".join(text for text, _ in parts)
    return sql, [*task_ids, *(value for _, values in parts for value in values)]


def _part(kind: str, source: str, *values: object, **columns: str) -> Part:
    selected = ", ".join(f"{columns.get(name, nothing)} AS {name}" for name, nothing in NOTHING.items())
    return f"SELECT w.id AS task_id, '{kind}' AS kind, {selected} FROM {source}", list(values)


def _id(column: str) -> str:
    return f"CAST({column} AS TEXT)"


def _own(now: datetime) -> list[Part]:
    resting = f"w WHERE {ASSIGNABLE} AND w.retry_at > ?"
    dependencies = (
        "w JOIN task_dependencies d ON d.task_id = w.id JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE p.status <> 'done' AND p.deleted_at IS NULL"
    )
    parts = "w JOIN tasks p ON p.parent_id = w.id AND p.blocks_parent WHERE p.status <> 'done' AND p.deleted_at IS NULL"
    run = {"ref_id": _id("r.agent_id"), "name": "r.agent_name", "since": "r.started_at", "until": "r.lease_expires_at"}
    parked = "w JOIN task_runs r ON r.task_id = w.id AND r.ended_at IS NULL AND r.parked_at IS NOT NULL AND r.ready_at"
    worker = {"why": ASKED_PERSON, "detail": "wh.program || ' ' || wh.host_label", "until": HOLD_UNTIL}
    sign = {**run, "since": "r.ready_at", "until": "w.last_seen_at", "number": "w.resume_after_seconds"}
    return [
        _part("asked", "w", detail="w.status", **ASSIGNEE),
        _part("flagged", "w WHERE w.flagged_at IS NOT NULL", since="w.flagged_at", why="w.flag_reason"),
        _part("backoff", resting, now, until="w.retry_at", number="w.failed_attempts"),
        _part("not_before", f"w WHERE {ASSIGNABLE} AND w.not_before > ?", now, until="w.not_before"),
        _part("dependency", dependencies, ref_id=_id("p.id"), name="p.title", number="p.number", since="d.created_at"),
        _part("part", parts, ref_id=_id("p.id"), name="p.title", number="p.number", since="p.created_at"),
        _part("parked", f"{parked} IS NULL {HOLD_JOIN}", **run | {"since": "r.parked_at"} | worker),
        _part("ready", f"{parked} IS NOT NULL", **sign),
        _part("lease", "w JOIN task_runs r ON r.task_id = w.id AND r.ended_at IS NULL AND r.parked_at IS NULL", **run),
    ]


def _of_people() -> list[Part]:
    approvals = (
        "w JOIN approval_task_links k ON k.task_id = w.id AND k.is_pending JOIN approvals p ON p.id = k.approval_id"
        " WHERE w.block_status_changes_with_pending_approval OR w.status <> 'inbox' OR w.agent_id IS NOT NULL"
    )
    questions = (
        "w JOIN task_runs r ON r.task_id = w.id AND r.fence = w.fence"
        " JOIN agent_questions q ON q.run_id = r.id AND q.state = 'open'"
    )
    reviews = f"w WHERE w.status = 'review' AND w.user_id IS NULL AND NOT {WAITS_FOR_PEOPLE}"
    required = "CASE WHEN w.require_review_before_done THEN 'required' END"
    return [
        _part("approval", approvals, ref_id=_id("p.id"), detail="p.action_type", since="p.created_at"),
        _part("question", questions, ref_id=_id("q.id"), detail="q.content", since="q.created_at"),
        _part("person", "w WHERE w.user_id IS NOT NULL", ref_id=_id("w.user_id"), name="w.user_name"),
        _part("person", "w WHERE w.status = 'in_progress' AND w.user_id IS NULL AND w.agent_id IS NULL"),
        _part("review", reviews, detail=required, **ASSIGNEE),
    ]


def _of_rules() -> list[Part]:
    by_lead = (
        "w LEFT JOIN agents l ON l.board_id = w.board_id AND l.is_board_lead"
        " WHERE w.only_lead_can_change_status AND w.user_id IS NULL AND w.status <> 'review'"
    )
    unreviewed = "w WHERE w.require_review_before_done AND w.status = 'in_progress'"
    return [
        _part("rule", by_lead, ref_id=_id("l.id"), name="l.name", detail="'only_lead_can_change_status'"),
        _part("rule", unreviewed, detail="'require_review_before_done'"),
        _part("rule", f"w WHERE {UNMET_COMMENT}", detail="'comment_required_for_review'"),
        _part("rule", f"w WHERE {UNMET_APPROVAL}", detail="'require_approval_for_done'", why=LAST_DECISION),
    ]


def _of_agents(now: datetime) -> list[Part]:
    paused = [
        _part(
            f"{kind}_paused",
            f"w WHERE w.{who}_state <> 'running' AND {AGENTS_TURN}",
            ref_id=_id(f"w.{who}_id"),
            name=f"w.{who}_name",
            since=f"w.{who}_state_at",
            detail=f"w.{who}_state",
            why=f"w.{who}_reason",
        )
        for kind, who in (("organization", "organization"), ("board", "board"), ("assignee", "agent"))
    ]
    offline = f"w JOIN agents a ON a.id = w.agent_id WHERE NOT {online_sql('a')}"
    may_not = f"w WHERE w.agent_id IS NOT NULL AND w.status <> 'review' AND NOT {MAY_WORK.format(agent='w.agent_id')}"
    level = (
        f"COALESCE(MAX(CASE WHEN c.id IS NULL THEN {NO_WORKER}"
        f" WHEN NOT {TAKES_ITS_TAGS.format(agent='c')} THEN CASE WHEN EXISTS (SELECT 1 FROM tag_assignments y"
        f" WHERE y.task_id = w.id) THEN {OTHER_TAGS} ELSE {NO_TAGS} END"
        f" WHEN NOT {MAY_WORK.format(agent='c.id')} THEN {NO_TOKEN}"
        f" WHEN NOT {online_sql('c')} THEN {NONE_ONLINE}"
        f" WHEN c.work_state = 'stopped' THEN {ALL_STOPPED} WHEN c.work_state <> 'running' THEN {ALL_PAUSED}"
        f" WHEN EXISTS (SELECT 1 FROM budgets x WHERE x.agent_id = c.id AND {IS_OVER}) THEN {ALL_OVER_BUDGET}"
        f" WHEN c.wip_limit <= {HELD_COUNT.format(agent='c.id')} THEN {ALL_FULL} ELSE {ABLE} END), {NO_WORKER})"
    )
    crew = (
        "w LEFT JOIN agents c ON c.board_id = w.board_id AND NOT c.is_board_lead"
        f" WHERE {ASSIGNABLE} AND w.agent_id IS NULL AND NOT w.only_lead_can_change_status"
        f" GROUP BY w.id HAVING {level} < {ABLE}"
    )
    stopped = "CASE WHEN MAX(CASE WHEN c.work_state = 'stopped' THEN 1 ELSE 0 END) = 1 THEN 'stopped' END"
    values = [now, now - SILENT_AFTER, now.date().isoformat()]
    return [
        *paused,
        _part("assignee_offline", offline, now - SILENT_AFTER, since="w.last_seen_at", **ASSIGNEE),
        _part("no_capable_agent", f"w WHERE {ASSIGNABLE} AND w.agent_leads", detail="'leads'", **ASSIGNEE),
        _part("no_capable_agent", may_not, now, detail="'no_token'", **ASSIGNEE),
        _part("no_capable_agent", crew, *values, *values, number=level, detail=stopped),
    ]


def _limits(day: str) -> list[Part]:
    full = [
        _part(
            "wip_limit",
            f"w LEFT JOIN f ON f.board_id = w.board_id AND f.status = '{column}'"
            f" WHERE {ASSIGNABLE} AND CAST(w.wip_limits ->> '{column}' AS BIGINT) <= COALESCE(f.n, 0)",
            number=f"CAST(w.wip_limits ->> '{column}' AS BIGINT)",
            detail=f"'{column}'",
        )
        for column in ("in_progress", "review")
    ]
    busy = f"w WHERE {ASSIGNABLE} AND w.agent_limit <= {HELD_COUNT.format(agent='w.agent_id')}"
    budget = _part(
        "budget",
        "w JOIN budgets x ON x.organization_id = w.organization_id AND (x.agent_id = w.agent_id"
        " OR x.board_id = w.board_id OR (x.agent_id IS NULL AND x.board_id IS NULL))"
        f" WHERE {IS_OVER} AND {AGENTS_TURN}",
        day,
        ref_id=_id("x.id"),
        name="CASE WHEN x.agent_id IS NOT NULL THEN w.agent_name END",
        detail="CASE WHEN x.agent_id IS NOT NULL THEN 'agent' WHEN x.board_id IS NOT NULL THEN 'board'"
        " ELSE 'organization' END",
        why="x.period",
    )
    return [*full, _part("wip_limit", busy, number="w.agent_limit", **ASSIGNEE), budget]
