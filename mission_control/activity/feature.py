"""What activity adds to the application."""

from mission_control.activity import agent_tab, api, pages
from mission_control.feature import Feature
from mission_control.web.palette import PaletteEntry

activity = Feature(
    name="activity",
    blueprints=(
        api.api,
        pages.pages,
    ),
    agent_tabs=(agent_tab.TAB,),
    regions=pages.REGIONS,
    palette=(PaletteEntry("Activity", "/activity", "activity", "feed log", position=20),),
)
