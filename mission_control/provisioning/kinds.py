"""The kinds of events that provisioning records, and when."""

from mission_control.live.kinds import Kind

KINDS = {
    "agent.provision.direct": Kind("An agent was created on its gateway, with its files and its session.", "set up"),
    "agent.provision.failed": Kind("An agent could not be set up on its gateway, or never called.", "could not set up"),
    "agent.update.direct": Kind(
        "The files of an agent on its gateway were brought up to date.", "updated the files of"
    ),
    "agent.update.failed": Kind(
        "The files of an agent on its gateway could not be brought up to date.", "could not update the files of"
    ),
    "agent.wakeup.sent": Kind("An agent was told by its gateway to start.", "woke"),
    "agent.turn_ended": Kind(
        "What an agent did on its gateway was ended, because it has to stop.",
        "ended the turn of",
    ),
    "agent.delete.direct": Kind(
        "An agent was removed from its gateway.", "removed from its gateway:", is_named_in_message=True
    ),
    "agent.delete.failed": Kind(
        "An agent could not be removed from its gateway.",
        "could not remove from its gateway:",
        is_named_in_message=True,
    ),
}
