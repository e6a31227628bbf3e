"""Describe events of the log in sentences for people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.approvals.payloads import action_words, asks_to_finish
from mission_control.boards.schemas import SETTING_NAMES
from mission_control.boards.statuses import LABELS
from mission_control.events.event_log import KINDS
from mission_control.tasks.fields import sentences

FINISHING_DECIDED = {
    "approved": "approved finishing",
    "rejected": "rejected finishing",
    "changes_requested": "sent back",
}
DECIDED = {"approved": "approved", "rejected": "rejected", "changes_requested": "sent back"}
ICONS = {
    "task.created": "plus",
    "task.status_changed": "move-right",
    "task.comment": "message-square",
    "task.deleted": "trash-2",
    "task.restored": "rotate-ccw",
    "task.lease_expired": "rotate-ccw",
    "task.note_sent": "message-square",
    "task.code_reported": "code",
    "approval": "shield-check",
    "agent": "bot",
    "session": "bot",
    "question": "message-square",
    "proposal": "sparkles",
    "task.linked": "link",
    "onboarding": "square-kanban",
    "board": "square-kanban",
    "agent.work_state_changed": "pause",
    "board.work_state_changed": "pause",
    "organization.work_state_changed": "pause",
    "budget": "gauge",
}
BUDGETS = {
    "budget.created": "set",
    "budget.updated": "changed",
    "budget.deleted": "lifted",
    "budget.warning": "used 80 % of",
    "budget.exceeded": "used up",
}
LOWERED = {
    "budget.warning": "set a limit of which 80 % is already used:",
    "budget.exceeded": "set a limit that is used up already:",
}


type Data = dict[str, Any]  # of an event, as its kind records it
# The sentences of the fields of a task; only the first field that changed is named.
TASK_FIELDS = sentences()


@dataclass(slots=True)
class Entry:
    seq: int
    kind: str
    actor: str
    actor_kind: str
    created_at: datetime
    did: str
    about: str = ""
    then: str = ""
    body: str = ""
    url: str = ""
    board_id: UUID | None = None
    board_name: str = ""
    names: tuple[str, ...] = ()  # of the people and agents that its body may mention

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind) or ICONS.get(self.kind.partition(".")[0]) or "pencil"


def describe(
    kind: str, data: Data, message: str, names: dict[str, str], *, by_person: bool = False
) -> tuple[str, str, str]:
    """`names` are those of agents and people by id. The results: verb, text after the subject's name, quote."""
    after = data.get("after") or {}
    phrase = KINDS[kind].phrase if kind in KINDS else ""
    if kind in SENTENCES:
        return SENTENCES[kind](data, after, message)
    if kind == "task.updated":
        return (*_task_update(data, after, names), "")
    if kind.startswith("approval."):
        return _approval(kind, data), "", str(data.get("note") or "")
    if kind.endswith(".work_state_changed"):
        what = {"paused": "paused", "stopped": "stopped"}.get(str(after.get("work_state")), "resumed")
        whole = " all agents" if kind.startswith("organization.") else ""
        return f"{what}{whole}", "", str(after.get("work_state_reason") or "")
    if kind.startswith("budget."):
        return _budget(kind, data, by_person=by_person), "", ""
    if kind == "member.role_changed":
        return phrase, f"to {after.get('role', 'another')}", ""
    if phrase:
        return phrase, "", ""
    return message.partition(":")[0].lower() or kind.replace(".", " ").replace("_", " "), "", ""


def _column(after: Data) -> str:
    return LABELS.get(after.get("status", ""), "another column")


def _asked_another(data: Data, _after: Data, message: str) -> tuple[str, str, str]:
    heading = message.partition(":")[0]
    return f"{heading[:1].lower()}{heading[1:]}: {asked_action(data)}, for", "", ""


def _board_update(_data: Data, after: Data, _message: str) -> tuple[str, str, str]:
    changed = [SETTING_NAMES.get(name, name.replace("_", " ")) for name in after if name != "updated_at"]
    return f"changed {' and '.join(changed[:3]) or 'settings'} of", "", ""


def _memory(data: Data, _after: Data, _message: str) -> tuple[str, str, str]:
    return "wrote in the chat" if data.get("is_chat") else "wrote down something", "", ""


# Kinds whose words need what they record, what changed, or their message.
SENTENCES: dict[str, Callable[[Data, Data, str], tuple[str, str, str]]] = {
    "task.status_changed": lambda data, after, message: ("moved", f"to {_column(after)}", ""),
    "task.comment": lambda data, after, message: ("commented on", "", message),
    "task.lease_expired": lambda data, after, message: ("took back", "because its lease ran out", ""),
    "task.code_reported": lambda data, after, message: ("reported on the code of", f"({message})", ""),
    "task.flagged": lambda data, after, message: ("flagged", "for a person", str(data.get("reason") or "")),
    "approval.asked_another": _asked_another,
    "board.updated": _board_update,
    "memory.created": _memory,
    "group_memory.created": _memory,
}


def _budget(kind: str, data: Data, *, by_person: bool) -> str:
    unit = "tokens" if data.get("unit") == "tokens" else "money"
    budget = f"the {data.get('subject')}'s {'daily' if data.get('period') == 'day' else 'total'} budget of {unit}"
    lowered = LOWERED.get(kind) if by_person else None
    return f"{lowered or BUDGETS.get(kind, 'changed')} {budget}"


def _task_update(data: Data, after: Data, names: dict[str, str]) -> tuple[str, str]:
    if "dependency_id" in data:
        return "changed a dependency of", ""
    if "part_id" in data:
        return "changed a part of", ""
    assignee = after.get("assigned_agent_id") or after.get("assigned_user_id")
    if assignee:
        return "assigned", f"to {names.get(str(assignee), 'somebody')}"
    if "assigned_agent_id" in after or "assigned_user_id" in after:
        return "unassigned", ""
    before = data.get("before") or {}
    for name, sentence in TASK_FIELDS.items():
        if name in after:
            return sentence(before.get(name), after[name])
    return ("reordered", "") if set(after) == {"position"} else ("changed", "")


def asked_action(data: Data) -> str:
    words = action_words(str(data.get("action_type") or "an action"))
    return words[:1].lower() + words[1:]


def _approval(kind: str, data: Data) -> str:
    what, decision = asked_action(data), str(data.get("decision"))
    did = {
        "approval.requested": f"asked for approval: {what}, for",
        "approval.decided": f"{DECIDED.get(decision, 'decided')} {what}, for",
        "approval.reopened": "re-opened the approval of",
        "approval.voted": f"approved as one of several: {what}, for",
        "approval.vote_withdrawn": f"took back an approval: {what}, for",
        "approval.vote_lapsed": f"asked again, because it changed: {what}, for",
        "approval.deadline_changed": f"changed the deadline: {what}, for",
        "approval.reminded": f"reminded people: {what}, for",
        "approval.ended_on_gateway": f"{data.get('how') or 'decided'} on the gateway: {what}, for",
        "approval.ended_at_program": f"noted that the keyboard has the question again: {what}, for",
        "approval.answered": f"passed on the answer: {what}, for",
    }
    if asks_to_finish(str(data.get("action_type") or "")):
        is_approved = data.get("status") == "approved"
        did["approval.requested"] = "approved finishing" if is_approved else "asked to finish"
        did["approval.decided"] = FINISHING_DECIDED.get(decision, "decided about finishing")
    return did.get(kind, "closed the approval of")


def named_ids(data: Data) -> set[str]:
    after = data.get("after") or {}
    named = (after.get("assigned_agent_id"), after.get("assigned_user_id"), data.get("user_id"))
    return {str(id_) for id_ in named if id_}
