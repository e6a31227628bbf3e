"""The tools; importing this registers them in the order in which a model should read them."""

from mission_control.mcp.tools import board as board
from mission_control.mcp.tools import decisions as decisions
from mission_control.mcp.tools import files as files
from mission_control.mcp.tools import inbox as inbox
from mission_control.mcp.tools import lead as lead
from mission_control.mcp.tools import memory as memory
from mission_control.mcp.tools import myself as myself
from mission_control.mcp.tools import people as people
from mission_control.mcp.tools import questions as questions
from mission_control.mcp.tools import usage as usage
from mission_control.mcp.tools import work as work
