"""What live adds to the application."""

from mission_control.feature import Feature
from mission_control.log import models
from mission_control.log.event_log import Kind

live = Feature(
    name="live",
    models=(models,),
    kinds={
        "log.sealed": Kind(
            "A log from before actors' names were hashed got a digest of the names in it.",
            "sealed the names of actors in the log",
        ),
    },
    account_kinds={
        "audit.heads_signed": "An administrator signed the heads of logs that this installation had not signed.",
    },
)
