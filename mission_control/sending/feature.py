"""What sending adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.sending import loop

sending = Feature(
    name="sending",
    rules=(loop.rules,),
    kinds={
        "delivery.retried": Kind(
            "A person had a notice sent again after its delivery was given up.", "sent a notice again"
        ),
    },
    loops=(loop.SENDING,),
)
