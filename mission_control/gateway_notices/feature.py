"""What gateway_notices adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_notices import interrupted, looking
from mission_control.gateway_notices.messages import WORK_WAITS
from mission_control.gateway_notices.sender import senders

gateway_notices = Feature(
    name="gateway_notices",
    rules=(interrupted.rules,),
    senders=senders,
    notices={WORK_WAITS: "work_waits"},
    loops=(looking.run_looking,),
    on_gateway_connected=(interrupted.resend_interrupted, interrupted.resend_greetings),
)
