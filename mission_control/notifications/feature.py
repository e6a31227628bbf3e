"""What notifications add to the application."""

from mission_control.feature import Feature
from mission_control.notifications import api, models, pages, queries, reactions
from mission_control.web.shell import PaletteEntry

notifications = Feature(
    name="notifications",
    models=(models,),
    rules=(queries.rules,),
    reactions=(reactions.reactions,),
    blueprints=(api.api, pages.pages),
    regions=pages.REGIONS,
    settings_pages=(pages.SETTINGS_PAGE,),
    palette=(PaletteEntry("Notifications", "/notifications", "bell", "mentions assigned unread", position=25),),
)
