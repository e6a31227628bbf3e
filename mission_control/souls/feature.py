"""What souls add to the application."""

from mission_control.feature import Feature
from mission_control.souls import api, pages, policy

souls = Feature(
    name="souls",
    rules=(policy.rules,),
    blueprints=(api.api, pages.pages),
    settings_pages=(pages.SETTINGS,),
)
