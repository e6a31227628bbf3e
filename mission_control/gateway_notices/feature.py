"""What gateway_notices adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_notices import interrupted
from mission_control.gateway_notices.sender import senders

gateway_notices = Feature(
    name="gateway_notices",
    rules=(interrupted.rules,),
    senders=senders,
    on_gateway_connected=(interrupted.resend_interrupted,),
)
