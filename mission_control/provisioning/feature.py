"""What provisioning adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.provisioning import (
    api,
    files,
    gateway_agent,
    main_agents,
    models,
    pages,
    policy,
    reactions,
    removal,
    runner,
)

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


provisioning = Feature(
    name="provisioning",
    models=(models,),
    rules=(policy.rules,),
    reactions=(main_agents.reactions, reactions.reactions),
    kinds=KINDS,
    blueprints=(api.api, pages.pages),
    agent_tabs=(pages.AGENT_TAB,),
    gateway_tabs=(pages.GATEWAY_TAB,),
    loops=(runner.RUNNER,),
    on_gateway_connected=(gateway_agent.heal, runner.connected),
    before_removal=removal.end_all_turns,
    prepare=files.prepare,
)
