"""What gateways adds to the application."""

from mission_control.feature import Feature
from mission_control.gateways import models

gateways = Feature(
    name="gateways",
    models=(models,),
)
