"""What gateway_sessions adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_sessions import api, following, models, pages, reading, usage
from mission_control.gateways.page_frame import Tab
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
    blueprints=(api.api, pages.pages, pages.list_pages),
    agent_tabs=(pages.TAB,),
    gateway_tabs=(Tab(pages.LIST_TAB, "Sessions"),),
    regions=(*pages.REGIONS, *pages.LIST_REGIONS),
    gateway_events={"chat": usage.noting_activity(following.on_chat), "agent": following.on_agent},
    on_gateway_connected=(following.on_connected, usage.measure_soon),
    loops=(usage.USAGE, following.DROPPING),
    on_notify_family={following.FAMILY: following.on_watch},
)
