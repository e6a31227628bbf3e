"""What souls add to the application."""

from mission_control.feature import Feature
from mission_control.souls import api, directory, pages

souls = Feature(
    name="souls",
    rules=(directory.rules,),
    blueprints=(api.api, pages.pages),
    settings_pages=(pages.SETTINGS,),
)
