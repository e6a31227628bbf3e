"""What runs add to the application."""

from mission_control.feature import Feature
from mission_control.runs import models

runs = Feature(
    name="runs",
    models=(models,),
)
