"""What activity adds to the application."""

from mission_control.activity import api, pages
from mission_control.feature import Feature
from mission_control.web.shell import PaletteEntry

activity = Feature(
    name="activity",
    blueprints=(
        api.api,
        pages.pages,
    ),
    agent_tabs=(pages.TAB,),
    asides=pages.ASIDES,
    regions=(*pages.PAGES_REGIONS, *pages.REGIONS),
    palette=(PaletteEntry("Activity", "/activity", "activity", "feed log", position=20),),
)
