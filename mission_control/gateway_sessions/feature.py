"""What gateway_sessions adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_sessions import (
    agent_tab,
    api,
    following,
    list_pages,
    models,
    pages,
    reading,
    session_regions,
    usage,
)
from mission_control.gateways.page_tabs import Tab
from mission_control.live.kinds import Kind

gateway_sessions = Feature(
    name="gateway_sessions",
    models=(models,),
    rules=(reading.rules,),
    kinds={
        "gateway.session.message_sent": Kind(
            "A person sent a message into a session of a gateway; the event has none of its words.",
            "wrote into a session of",
            is_named_in_message=True,
        ),
        "gateway.session.run_ended": Kind(
            "A person ended what an agent did in a session of a gateway.",
            "ended a run of",
            is_named_in_message=True,
        ),
    },
    blueprints=(api.api, pages.pages, list_pages.pages),
    agent_tabs=(agent_tab.TAB,),
    gateway_tabs=(Tab(list_pages.TAB, "Sessions"),),
    regions=(*session_regions.REGIONS, *list_pages.REGIONS),
    gateway_events={"chat": usage.noting_activity(following.on_chat), "agent": following.on_agent},
    on_gateway_connected=(following.on_connected, usage.measure_soon),
    loops=(usage.USAGE, following.DROPPING),
    on_notify_family={following.FAMILY: following.on_watch},
)
