"""What the room `work` adds to the application."""

from mission_control.feature import Feature
from mission_control.log import leases
from mission_control.log.event_log import Kind
from mission_control.work import loop

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


work = Feature(name="work", models=(leases,))
