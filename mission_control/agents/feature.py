"""What agents add to the application."""

from mission_control.agents import (
    agent_api,
    api,
    coordination_api,
    edit_pages,
    first_steps,
    main_api,
    models,
    overview_tab,
    page_frame,
    page_live,
    pages,
    policy,
    reactions,
    soul_tab,
    souls_api,
    token_api,
    token_pages,
    token_tab,
    usage_api,
    usage_pages,
    usage_tab,
    waiting,
    work_state_api,
    work_state_notices,
    work_state_pages,
)
from mission_control.agents.kinds import KINDS
from mission_control.agents.presence import agent_seen, watch_for_silence
from mission_control.core.policy import can
from mission_control.feature import Feature
from mission_control.web.palette import PaletteEntry

agents = Feature(
    name="agents",
    models=(models,),
    rules=(policy.rules,),
    reactions=(
        reactions.reactions,
        work_state_notices.reactions,
        waiting.reactions,
    ),
    kinds=KINDS,
    blueprints=(
        agent_api.api,
        api.api,
        coordination_api.api,
        edit_pages.pages,
        main_api.api,
        pages.pages,
        souls_api.api,
        token_api.api,
        token_pages.pages,
        usage_api.api,
        usage_pages.pages,
        work_state_api.api,
        work_state_pages.pages,
    ),
    agent_tabs=(overview_tab.TAB, usage_tab.TAB, token_tab.TAB, soul_tab.TAB),
    palette=(
        PaletteEntry("Agents", "/agents", "bot", position=30),
        PaletteEntry(
            "New agent",
            "/agents/new",
            "plus",
            position=40,
            group="Do",
            may=lambda actor, board: can(actor, "agent.manage"),
        ),
    ),
    regions=(*page_live.REGIONS, *page_frame.REGIONS, *first_steps.REGIONS),
    loops=(watch_for_silence,),
    agent_seen=agent_seen,
    notices={
        "APPROVAL RESOLVED": "decision",
        "REQUEST CLOSED": "request_closed",
        "BOARD UPDATED": "board_updated",
        "NUDGE": "nudge",
        "SOUL UPDATED": "soul_updated",
        "WORK PAUSED": "work_paused",
        "WORK STOPPED": "work_stopped",
        "WORK RESUMED": "work_resumed",
        "BUDGET WARNING": "budget_warning",
        "BUDGET USED UP": "budget_used_up",
        "BUDGET RAISED": "budget_raised",
    },
)
