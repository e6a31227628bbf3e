"""What tools share: arguments in words for models, and shapes of what a model needs, less than the API says."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical
from mission_control.boards.statuses import TaskStatus
from mission_control.core.values import JsonObject
from mission_control.mcp.answers import Shape
from mission_control.mcp.registry import REQUIRED, Shown
from mission_control.tasks.fields import TOOL_WORDS

# Arguments.
TASK = "Its id or number, such as #3"
AGENT = "An agent's name or id"
ID = "An id, as another tool answered it"
MARKDOWN = "Markdown; @name notifies an agent, @lead the lead"
FENCE = Shown("The fence of your lease, as next answered it", kind=Annotated[int, Field(ge=1)], default=REQUIRED)
PART = {"limit": Shown(default=50), "offset": Shown()}
WAIT = {"wait_seconds": Shown(), "known": Shown("`version` of the list you have; it waits for another")}
STATUS = Shown(kind=TaskStatus | None)
WORDS = "Words of title or description, or a number"
WHY = Shown("Tell for each task what it waits for", "include_waiting")


def required(text: str, sends: str = "") -> Shown:
    return Shown(text, sends, kind=Annotated[str, Field(min_length=1)], default=REQUIRED)


def fence(text: str) -> Shown:
    return Shown(text, kind=Annotated[int | None, Field(ge=1)], default=None)


HELD = fence("The fence of your lease, when the task is yours")


def _priority(value: object) -> Any:
    return canonical(value) if isinstance(value, str) else value


def new_task(assignee: str) -> dict[str, Shown]:
    levels = Annotated[Literal["low", "medium", "high", "critical"], BeforeValidator(_priority)]
    return {
        "title": required("What is to be achieved, in one line"),
        "priority": Shown("How soon", kind=levels, default="medium"),
        "assigned_agent_id": Shown(assignee),
        "depends_on_task_ids": Shown("Tasks that must be done before this one"),
        **{name: Shown(text) for name, text in TOOL_WORDS.items()},
    }


# Answers.


def each(name: str) -> Callable[[Any], Any]:
    return lambda found: [one[name] for one in found]


def name_of(who: Any) -> Any:
    return who["name"] if who else None


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def status_text(task: Any) -> str:
    where = {"inbox": "in the inbox", "in_progress": "in progress", "review": "in review", "done": "done"}
    return f"Task #{task['number']} is {where[task['status']]}"


def part_of(page: Any, name: str, noun: str = "") -> tuple[str, Any]:
    total = page["total"]
    return f"{len(page['items'])} of {total} {noun or name}.", {name: page["items"], "total": total}


# Nobody has a task when both assignees are null; is_blocked: it waits for other tasks.
_LINE = "id number title status priority due_at not_before assigned_agent_id assigned_user_id is_blocked"
TASK_LINE = Shape(_LINE, tags=each("name"))
TASKS = Shape("total", tasks=lambda found: [TASK_LINE(one) | {"waiting": _waiting(one)} for one in found])
TASK_DETAIL = Shape(
    f"{_LINE} depends_on_task_ids blocked_by_task_ids custom_field_values created_at updated_at {' '.join(TOOL_WORDS)}",
    tags=each("name"),
)
COMMENT = Shape("id message agent_id created_at", author=name_of)
STEP = Shape("id text is_done")
FILE = Shape("id name content_type size")
ATTEMPT = Shape("fence agent_name state started_at ended_at end_reason summary")
AUTHOR = Shape("kind id name")
MEMORY = Shape("id content tags is_chat created_at", author=AUTHOR)
# A question to people, and its outcome. changes_requested: do it again, as the note says. closed: it is moot.
APPROVAL = Shape("id action_type task_ids status decision note resolved_at approvals_missing", resolved_by=name_of)
COLLEAGUE = Shape("id name status is_board_lead")


def _waiting(task: Any) -> list[str]:
    return [one["text"] for one in task.get("waiting") or ()]


RULES = {
    "require_approval_for_done": "A task is done only after a person approved it; handing it in asks for that.",
    "require_review_before_done": "A task passes review before it is done.",
    "comment_required_for_review": "A task goes to review only with a comment that says what was done.",
    "block_status_changes_with_pending_approval": "A task with a pending approval does not move.",
    "only_lead_can_change_status": "Only the lead moves tasks; nothing can be claimed.",
}
_BOARD = Shape("id name description objective success_metrics")


def board_details(board: Board) -> JsonObject:
    return {**_BOARD(board), "rules": [sentence for name, sentence in RULES.items() if getattr(board, name)]}
