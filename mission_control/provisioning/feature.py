"""What provisioning adds to the application."""

from mission_control.feature import Feature
from mission_control.provisioning import (
    agent_tab,
    api,
    config_writer,
    gateway_pages,
    gateway_tab,
    installation,
    main_agents,
    models,
    pages,
    policy,
    reactions,
    removal,
    runner,
)
from mission_control.provisioning.kinds import KINDS

provisioning = Feature(
    name="provisioning",
    models=(models,),
    rules=(policy.rules,),
    reactions=(main_agents.reactions, reactions.reactions),
    kinds=KINDS,
    blueprints=(api.api, gateway_pages.pages, pages.pages),
    agent_tabs=(agent_tab.TAB,),
    gateway_tabs=(gateway_tab.TAB,),
    loops=(runner.RUNNER,),
    on_gateway_connected=(config_writer.heal, runner.connected),
    before_removal=removal.end_all_turns,
    prepare=installation.prepare,
)
