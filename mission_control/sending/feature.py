"""What sending adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.sending import loop, settling

sending = Feature(
    name="sending",
    rules=(settling.rules,),
    kinds={
        "delivery.retried": Kind(
            "A person had a notice sent again after its delivery was given up.", "sent a notice again"
        ),
    },
    loops=(loop.SENDING,),
)
