"""The kinds of events that provisioning records, and when."""

from mission_control.live.kinds import Kind

KINDS = {
    "agent.provision.direct": Kind("An agent was created on its gateway, with its files and its session."),
    "agent.provision.failed": Kind("An agent could not be set up on its gateway, or never called."),
    "agent.update.direct": Kind("The files of an agent on its gateway were brought up to date."),
    "agent.update.failed": Kind("The files of an agent on its gateway could not be brought up to date."),
    "agent.wakeup.sent": Kind("An agent was told by its gateway to start."),
    "agent.delete.direct": Kind("An agent was removed from its gateway."),
    "agent.delete.failed": Kind("An agent could not be removed from its gateway."),
}
