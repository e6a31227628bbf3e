"""The calls that /llms.txt teaches, and whether commands of a shell use no others."""

import re
from collections.abc import Iterator

# As the text has them in one pair of backticks; within a command they stand by themselves.
CALL = re.compile(r"""call ([A-Z]+) "?([^\s`");]+)"?(?: '(.*?)'(?=[\s`;)]|$))?""", re.M)
SHORT = (("$T", "$B/tasks/ID"), ("$P", "/boards/$BOARD/tasks/ID"), ("$B", "/agent/boards/$BOARD"))
PLACES = {
    "$BOARD": "<board_id>", "ID": "<task_id>", "APPROVAL_ID": "<approval_id>", "STEP": "<item_id>",
    "FILE": "<attachment_id>",
}  # fmt: skip


def calls_in(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield each call: its method, its path as the program declares it, its query, its body."""
    for method, path, body in CALL.findall(text):
        for short, long in SHORT:
            path = re.sub(rf"^\{short}\b", long, path)
        address, _, query = path.partition("?")
        parts = [PLACES.get(part, PLACES.get(part.removeprefix("$"), part)) for part in address.split("/")]
        yield method, "/api/v1" + "/".join(parts), query, body
