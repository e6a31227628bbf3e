"""What delivery adds to the application."""

from mission_control.delivery import models
from mission_control.feature import Feature

delivery = Feature(
    name="delivery",
    models=(models,),
)
