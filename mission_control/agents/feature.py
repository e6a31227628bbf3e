"""What the room `agents` adds to the application."""

from mission_control.agents import (
    agent_api,
    api,
    asks,
    directory,
    inbox_api,
    inbox_pages,
    main_api,
    models,
    notices,
    page_frame,
    pages,
    queries,
    reactions,
    soul_api,
    soul_pages,
    tabs,
    token_pages,
    usage_api,
    usage_asks,
    usage_pages,
    usage_queries,
    work_state,
    work_state_pages,
)
from mission_control.agents.budgets import MIDNIGHT
from mission_control.agents.receiving import senders
from mission_control.agents.work_state import SILENCE, agent_seen
from mission_control.core.actor import can
from mission_control.feature import Feature
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry

KINDS = {
    "approval.lead_notified": Kind("An agent received the notice of a decision."),
    "approval.lead_notify_failed": Kind("The notice of a decision was given up."),
    "agent.created": Kind("An agent was made.", "made the agent"),
    "agent.updated": Kind("An agent's fields changed, or it moved to another board.", "changed the agent"),
    "agent.provisioning_requested": Kind(
        "Somebody asked to set up an agent on its gateway anew.", "set up the agent anew"
    ),
    "agent.deleted": Kind("An agent was deleted; its tasks went back to the board.", "deleted the agent"),
    "agent.token_rotated": Kind("An agent got a new token.", "rotated the token of"),
    "agent.token_changed": Kind("What a token of an agent may, or when it ends, changed.", "changed a token of"),
    "agent.token_revoked": Kind("A token of an agent was ended.", "revoked a token of"),
    "agent.nudge.sent": Kind("A lead put a word into a colleague's inbox.", "nudged"),
    "agent.nudge.failed": Kind("The nudge of a lead was given up.", "could not nudge"),
    "gateway.main.lead_message.sent": Kind(
        "A board's lead got a message of the gateway's main agent.", "wrote to the lead"
    ),
    "gateway.main.lead_message.failed": Kind(
        "A message of a gateway's main agent to a lead was given up.", "could not write to the lead"
    ),
    "gateway.main.lead_broadcast.sent": Kind(
        "A gateway's main agent wrote to the leads of several boards.", "wrote to the leads"
    ),
    "agent.soul.updated": Kind(
        "A lead gave a colleague another soul; the old one stays in its history.", "gave another soul to"
    ),
    "board.lead_notified": Kind("The board's lead received the notice of changed fields."),
    "board.lead_notify_failed": Kind("The notice of a board's changed fields was given up."),
    "agent.work_state_changed": Kind("An agent was paused, stopped, or let run on."),
}


agents = Feature(
    name="agents",
    models=(models,),
    rules=(queries.rules,),
    reactions=(
        reactions.reactions,
        work_state.reactions,
    ),
    kinds=KINDS,
    lookups=(
        queries.visible_agent,
        agent_api.colleague,
        api.agent_token,
    ),
    blueprints=(
        agent_api.api,
        api.api,
        agent_api.coordination_api,
        pages.edit_pages,
        main_api.api,
        pages.pages,
        main_api.souls_api,
        api.token_api,
        token_pages.pages,
        main_api.usage_api,
        token_pages.usage_pages,
        api.work_state_api,
        work_state_pages.pages,
    ),
    agent_tabs=(tabs.TAB, tabs.USAGE_TAB, tabs.TOKEN_TAB, tabs.SOUL_TAB),
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
    regions=(*page_frame.AGENT_PAGE.regions, *tabs.REGIONS),
    loops=(SILENCE,),
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


inbox = Feature(
    name="inbox",
    rules=(notices.rules,),
    kinds={
        "agent.callback_set": Kind("An agent's notices are sent to an address of its own.", "set the callback of"),
        "agent.callback_removed": Kind(
            "An agent's notices are no longer sent: a person removed the callback, or its address was gone.",
            "removed the callback of",
        ),
    },
    blueprints=(
        inbox_api.agent_api,
        inbox_api.api,
        inbox_pages.pages,
    ),
    asks=(asks.DeliveryAsk(),),
    agent_tabs=(inbox_pages.TAB,),
    senders=senders,
    notices={
        "GATEWAY MAIN QUESTION": "question",
        "GATEWAY MAIN HANDOFF": "handoff",
        "LEAD REQUEST: ASK USER": "ask_user",
        "BOARD ONBOARDING REQUEST": "onboarding",
        "BOARD ONBOARDING ANSWER": "onboarding_answer",
    },
)


usage = Feature(
    name="usage",
    models=(models,),
    rules=(usage_queries.rules,),
    kinds={
        "budget.warning": Kind("A budget is used up to 80 %."),
        "budget.exceeded": Kind("A budget is used up; its agents get no more work."),
        "budget.created": Kind("A budget was created."),
        "budget.updated": Kind("The limit of a budget changed."),
        "budget.deleted": Kind("A budget was deleted."),
    },
    lookups=(usage_queries.visible_budget,),
    blueprints=(
        usage_api.api,
        usage_pages.pages,
    ),
    asks=(usage_asks.BudgetAsk(),),
    loops=(MIDNIGHT,),
)


souls = Feature(
    name="souls",
    rules=(directory.rules,),
    blueprints=(soul_api.api, soul_pages.pages),
    settings_pages=(soul_pages.SETTINGS,),
)
