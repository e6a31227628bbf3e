"""Find what tasks wait for in one statement, and say it in sentences."""

from collections.abc import Callable
from datetime import timedelta
from typing import get_args

from mission_control.approvals.payloads import action_words, asks_to_finish
from mission_control.boards.statuses import LABELS
from mission_control.core import times
from mission_control.core.programs import program_name
from mission_control.database.sql import Row, as_id, as_moment, rows, wire_moment
from mission_control.runs.claims import waiting_sql as levels
from mission_control.runs.claims.waiting_sql import statement
from mission_control.tasks.waiting import Kind, Reasons, WaitingReason, explain_waiting

ORDER = {kind: place for place, kind in enumerate(get_args(Kind))}
EMPTY = dict.fromkeys(WaitingReason.model_fields)
NAMED = 3
LONGEST_LINE = 120


@explain_waiting
async def reasons_of(task_ids: list[object]) -> dict[str, Reasons]:
    """Return what each of these tasks waits for, by its id. Done and deleted tasks wait for nothing."""
    ids = [task_id for task_id in map(as_id, task_ids) if task_id is not None]
    if not ids:
        return {}
    sql, values = statement(ids)
    by_task: dict[str, list[Row]] = {}
    for row in await rows(sql, *values):
        by_task.setdefault(str(row["task_id"]), []).append(row)
    return {task_id: _reasons(reasons) for task_id, reasons in by_task.items()}


def _reasons(waits: list[Row]) -> Reasons:
    [asked] = [row for row in waits if row["kind"] == "asked"]
    ordered = sorted(waits, key=lambda row: (str(row["since"] or ""), str(row["ref_id"]), str(row["detail"])))
    reasons = [say(row) for row in ordered if (say := SAID.get(row["kind"])) is not None]
    reasons += [
        _awaited(kind, awaited) for kind in AWAITED if (awaited := [row for row in ordered if row["kind"] == kind])
    ]
    if not reasons and asked["detail"] == "inbox":
        text = f"{asked['name']} can start it now." if asked["name"] else "An agent can claim it now."
        reasons.append(_reason("available", text, **_by_agent(asked)))
    return sorted(reasons, key=lambda reason: ORDER[reason["kind"]])


def _reason(kind: Kind, text: str, **fields: object) -> Row:
    return EMPTY | {"tasks": []} | fields | {"kind": kind, "text": text}


def _by_agent(row: Row) -> Row:
    return {"agent_id": row["ref_id"], "agent_name": row["name"]}


def _since(row: Row) -> Row:
    return {"since": wire_moment(row["since"])}


def _clock(value: object) -> str:
    moment = as_moment(value)
    assert moment is not None
    return times.clock_time(moment)


def _flagged(row: Row) -> Row:
    text = "A person must review it before it is assigned again."
    return _reason("flagged", f"{text} {row['why']}" if row["why"] else text, **_since(row))


def _backoff(row: Row) -> Row:
    many = {0: "a lease that ran out", 1: "a failed attempt"}.get(row["number"], f"{row['number']} failed attempts")
    text = f"After {many} it is not assigned before {_clock(row['until'])}."
    return _reason("backoff", text, until=wire_moment(row["until"]))


def _not_before(row: Row) -> Row:
    text = f"No agent begins it before {_clock(row['until'])}; a person may start it earlier."
    return _reason("not_before", text, until=wire_moment(row["until"]))


AWAITED: dict[Kind, str] = {"dependency": "It waits for {}.", "part": "It cannot be handed in before {} {} done."}


def _awaited(kind: Kind, waits: list[Row]) -> Row:
    names = [f"#{row['number']} {row['name']}" for row in waits[:NAMED]]
    if len(waits) > NAMED:
        names.append(f"{len(waits) - NAMED} more")
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    tasks = [{"id": row["ref_id"], "number": row["number"], "title": row["name"]} for row in waits]
    return _reason(kind, AWAITED[kind].format(text, "is" if len(waits) == 1 else "are"), tasks=tasks)


def _lease(row: Row) -> Row:
    until, text = as_moment(row["until"]), f"{row['name']} has it."
    if until is not None:
        text = f"{row['name']} {'had' if until <= times.clock_now() else 'has'} it until {_clock(until)}."
    return _reason("lease", text, until=wire_moment(row["until"]), **_since(row), **_by_agent(row))


def _parked(row: Row) -> Row:
    """`detail` names the program and the machine of the worker that it waits for."""
    if row["detail"]:
        program, _, host = str(row["detail"]).partition(" ")
        text = f"{row['name']} waits for {program_name(program, program)} on {host} until {_clock(row['until'])}."
        return _reason("parked", text, until=wire_moment(row["until"]), **_by_agent(row))
    who = row["why"] or "a person of this board"
    text = f"{row['name']} waits for an answer of {who} since {_clock(row['since'])}. Nobody else is given it."
    return _reason("parked", text, **_since(row), **_by_agent(row))


def _ready(row: Row) -> Row:
    """`until` is the last sign of its agent, `number` for how many seconds after one others do not get the task."""
    sign = max(moment for moment in (as_moment(row["since"]), as_moment(row["until"])) if moment is not None)
    until = sign + timedelta(seconds=row["number"])
    text = f"{row['name']} has its answer, and its next claim goes on with it."
    text += f" Without a sign of {row['name']} it is for anybody from {_clock(until)} on."
    return _reason("ready", text, until=times.wire(until), **_since(row), **_by_agent(row))


def _approval(row: Row) -> Row:
    what = "A person has to approve that it is finished."
    if not asks_to_finish(str(row["detail"])):
        what = f"It waits for a decision: {action_words(str(row['detail'])).lower()}."
    return _reason("approval", what, approval_id=row["ref_id"], **_since(row))


def _person(row: Row) -> Row:
    nobody = "It is in progress without anybody: assign it or move it back."
    return _reason("person", f"It is {row['name']}'s." if row["ref_id"] else nobody, user_id=row["ref_id"])


def _question(row: Row) -> Row:
    [line, *_] = str(row["detail"]).strip().splitlines() or [""]
    text = f"It waits for an answer: {line[:LONGEST_LINE]}"
    return _reason("question", text, question_id=row["ref_id"], **_since(row))


def _review(row: Row) -> Row:
    what = "has to review it" if row["detail"] == "required" else "can finish it or send it back"
    return _reason("review", f"{row['name'] or 'Somebody'} {what}.", **_by_agent(row))


def _rule(row: Row) -> Row:
    text = RULES[row["detail"]].format(lead=row["name"], decided=DECIDED[row["why"]])
    if row["detail"] == "only_lead_can_change_status" and not row["name"]:
        text = "only a lead changes a task's status, and there is none"
    return _reason("rule", f"On this board {text}.", rule=row["detail"], **_by_agent(row))


RULES = {
    "only_lead_can_change_status": "only the lead, {lead}, changes a task's status",
    "require_review_before_done": "it is done only after review",
    "comment_required_for_review": "it needs a comment before it goes to review",
    "require_approval_for_done": "it is done only when an approval was given, {decided}",
}
DECIDED = {
    None: "and none is asked for yet",
    "approved": "and what was approved was an earlier attempt",
    "rejected": "and the last request for one was rejected",
    "changes_requested": "and the last request for one was sent back",
}


def _paused(row: Row) -> Row:
    whose = {"organization_paused": "The organization ", "board_paused": "The board "}.get(row["kind"], "")
    text = f"{whose}{row['name']} is {row['detail']}"
    fields = _since(row) if whose else _since(row) | _by_agent(row)
    return _reason(row["kind"], f"{text}: {row['why']}" if row["why"] else f"{text}.", **fields)


def _offline(row: Row) -> Row:
    what = f"is offline since {_clock(row['since'])}" if row["since"] else "has not come yet"
    return _reason("assignee_offline", f"{row['name']} {what}.", **_since(row), **_by_agent(row))


def _crew(row: Row) -> Row:
    if row["ref_id"]:
        said = {
            "leads": "leads the board and starts no work itself: it has to give this to a worker",
            "no_token": "has no token that lets it work",
        }
        return _reason("no_capable_agent", f"{row['name']} {said[row['detail']]}.", **_by_agent(row))
    kind, text = CREW[row["number"]]
    if row["number"] == levels.ALL_PAUSED and row["detail"]:
        text = "Every agent that could take it is paused or stopped."
    return _reason(kind, text)


CREW: dict[int, tuple[Kind, str]] = {
    levels.NO_WORKER: ("no_capable_agent", "No worker is on this board."),
    levels.OTHER_TAGS: ("no_capable_agent", "No worker of this board takes tasks with these tags."),
    levels.NO_TAGS: ("no_capable_agent", "No worker of this board takes tasks without tags."),
    levels.NO_TOKEN: ("no_capable_agent", "No agent that could take it has a token that lets it work."),
    levels.NONE_ONLINE: ("no_capable_agent", "No agent that could take it is online."),
    levels.ALL_STOPPED: ("no_capable_agent", "Every agent that could take it is stopped."),
    levels.ALL_PAUSED: ("no_capable_agent", "Every agent that could take it is paused."),
    levels.ALL_OVER_BUDGET: ("budget", "Every agent that could take it has used up its budget."),
    levels.ALL_FULL: ("wip_limit", "Every agent that could take it has as many tasks as it may."),
}


def _wip_limit(row: Row) -> Row:
    fields = {"limit": row["number"], "column": row["detail"]}
    if row["detail"]:
        return _reason("wip_limit", f"The column {LABELS[row['detail']]} is full at {row['number']}.", **fields)
    text = f"{row['name']} has as many tasks in progress as it may: {row['number']}."
    return _reason("wip_limit", text, **fields, **_by_agent(row))


def _budget(row: Row) -> Row:
    whose = f"The budget of {row['name']}" if row["name"] else f"The {row['detail']}'s budget"
    text = f"{whose} is used up{' for today' if row['why'] == 'day' else ''}."
    return _reason("budget", text, budget_id=row["ref_id"])


SAID: dict[str, Callable[[Row], Row]] = {
    "flagged": _flagged, "organization_paused": _paused, "board_paused": _paused, "assignee_paused": _paused,
    "approval": _approval, "question": _question, "rule": _rule, "backoff": _backoff, "not_before": _not_before,
    "budget": _budget, "wip_limit": _wip_limit, "parked": _parked, "ready": _ready, "lease": _lease, "review": _review,
    "person": _person, "assignee_offline": _offline, "no_capable_agent": _crew,
}  # fmt: skip
