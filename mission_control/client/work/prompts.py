"""What a program is told of its task, and that something is missing when it ends."""

from __future__ import annotations

from mission_control.client.printing import plain
from mission_control.client.words import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import Next
    from mission_control.client.work.task import TaskFile

NO_RESULT = "It ended without a result: nothing was changed, and nothing was said."
NOTHING = "Nothing was changed, and you said nothing. Say why, or go on."
GO_ON = "You were interrupted. Look at what is done already, then go on, and end when the task is finished."
ENDS = (
    "Commit what belongs to the task. When you are done, end your turn with a summary for the people who asked: what"
    " you did, what you found, what you left out. Do not hand the task in or give it back: that is done for you."
)


def first_prompt(answer: Next, task: TaskFile) -> str:
    check = f"`{task.check}` is run when you end; it has to succeed." if task.check else ""
    return "\n\n".join(filter(None, (brief(answer), task.words, f"## How it ends\n\n{ENDS}", check)))


def next_prompt(answer: Next) -> str:
    """What a program is told that has worked on the task before."""
    why = answer.get("why") or {"kind": "", "text": None}
    if why["kind"] == "rework":
        return f"Your work was sent back.\n\n{plain(why['text'] or '')}\n\n{ENDS}"
    if why["kind"] == "resume":
        return f"People answered.\n\n{plain(why['text'] or '')}\n\n{GO_ON}"
    return GO_ON


def complaint(check: str, code: int, output: str) -> str:
    return f"`{check}` ends with exit code {code}. Mend it.\n\n```\n{output.strip()[-4_096:]}\n```"
