"""What gateway_notices adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_notices import looking, sending
from mission_control.gateway_notices.sending import senders
from mission_control.tasks.notices import WORK_WAITS

gateway_notices = Feature(
    name="gateway_notices",
    rules=(sending.rules,),
    senders=senders,
    notices={WORK_WAITS: "work_waits"},
    loops=(looking.OPEN_WORK,),
    on_gateway_connected=(sending.resend_interrupted, sending.resend_greetings),
)
