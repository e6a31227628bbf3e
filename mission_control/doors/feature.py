"""What the room `doors` adds to the application."""

from mission_control.doors import agents, asking, calls, deciding, docs_pages, people, workers
from mission_control.feature import Feature
from mission_control.web.shell import PaletteEntry

docs = Feature(
    name="docs",
    blueprints=(docs_pages.pages,),
    palette=(PaletteEntry("API and documents", "/docs", "book-open", "help openapi", position=60),),
)


mcp = Feature(
    name="mcp",
    tools=(agents.tools, workers.tools, asking.tools, people.tools, deciding.tools),
    on_notify_family={calls.FAMILY: calls.cancel_named},
)
