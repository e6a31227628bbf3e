"""What activity adds to the application."""

from mission_control.activity import agent_tab, api, asides, pages
from mission_control.feature import Feature
from mission_control.web.shell import PaletteEntry

activity = Feature(
    name="activity",
    blueprints=(
        api.api,
        pages.pages,
    ),
    agent_tabs=(agent_tab.TAB,),
    asides=asides.ASIDES,
    regions=(*pages.REGIONS, *asides.REGIONS),
    palette=(PaletteEntry("Activity", "/activity", "activity", "feed log", position=20),),
)
