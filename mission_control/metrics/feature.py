"""What metrics add to the application."""

from mission_control.feature import Feature
from mission_control.metrics import api

metrics = Feature(
    name="metrics",
    blueprints=(api.api,),
)
