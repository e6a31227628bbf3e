"""What an approval asks for, in words: a verb and its object."""

import re
from collections.abc import Sequence

from mission_control.approvals.finishing import asks_to_finish
from mission_control.approvals.outside import WORDS

# Verbs that stand last in a type of action (`data.delete`), and first in a heading ("Delete data").
VERBS = {
    "archive", "buy", "cancel", "close", "create", "delete", "deploy", "install", "merge", "move", "order", "pay",
    "publish", "release", "remove", "rename", "restart", "send", "start", "stop", "update",
}  # fmt: skip


def action_words(action_type: str) -> str:
    """`data.delete` or `send_email` as people write it: `Delete data`, `Send email`."""
    if asks_to_finish(action_type):
        return "Finish"
    if action_type in WORDS:
        return WORDS[action_type]
    words = re.sub(r"[._\-/]+", " ", action_type).split()
    if len(words) > 1 and words[-1].lower() in VERBS and words[0].lower() not in VERBS:
        words = [words[-1].lower(), *words[:-1]]
    text = " ".join(words)
    return text[:1].upper() + text[1:] or "Decision"


def heading(action_type: str, tasks: Sequence[tuple[int, str]]) -> str:
    """The action and the tasks it is about, given as number and title: `Finish #20 Cache the catalogue pages`."""
    words = action_words(action_type)
    if not tasks:
        return "Finish a task" if asks_to_finish(action_type) else words
    [(number, title), *more] = tasks
    numbers = ", ".join(f"#{one}" for one, _ in tasks)
    about = numbers if more else f"#{number} {title}"
    return f"{words} {about}" if " " not in words else f"{words} for {about}"
