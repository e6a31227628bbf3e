"""What mcp adds to the application."""

from mission_control.feature import Feature
from mission_control.mcp import calls
from mission_control.mcp.tools import agents, asking, deciding, people, workers

mcp = Feature(
    name="mcp",
    tools=(agents.tools, workers.tools, asking.tools, people.tools, deciding.tools),
    on_notify_family={calls.FAMILY: calls.cancel_named},
)
