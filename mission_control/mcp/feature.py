"""What mcp adds to the application."""

from mission_control.feature import Feature
from mission_control.mcp import calls
from mission_control.mcp.tools import (
    board,
    decisions,
    files,
    inbox,
    lead,
    memory,
    myself,
    needs,
    people,
    questions,
    requests,
    usage,
    work,
)

mcp = Feature(
    name="mcp",
    tools=(
        board.tools,
        decisions.tools,
        files.tools,
        inbox.tools,
        lead.tools,
        memory.tools,
        myself.tools,
        needs.tools,
        people.tools,
        requests.tools,
        questions.tools,
        usage.tools,
        work.tools,
    ),
    on_notify_family={calls.FAMILY: calls.cancel_named},
)
