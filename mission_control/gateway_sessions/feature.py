"""What gateway_sessions adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_sessions import models

gateway_sessions = Feature(
    name="gateway_sessions",
    models=(models,),
)
