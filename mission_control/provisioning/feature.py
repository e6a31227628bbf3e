"""What provisioning adds to the application."""

from mission_control.feature import Feature
from mission_control.provisioning import models

provisioning = Feature(
    name="provisioning",
    models=(models,),
)
