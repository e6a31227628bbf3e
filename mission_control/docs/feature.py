"""What docs add to the application."""

from mission_control.docs import pages
from mission_control.feature import Feature
from mission_control.web.shell import PaletteEntry

docs = Feature(
    name="docs",
    blueprints=(pages.pages,),
    palette=(PaletteEntry("API and documents", "/docs", "book-open", "help openapi", position=60),),
)
