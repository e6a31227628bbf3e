"""What gateway_sessions adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_sessions import api, models, policy

gateway_sessions = Feature(
    name="gateway_sessions",
    models=(models,),
    rules=(policy.rules,),
    blueprints=(api.api,),
)
