"""What the room `fleet` adds to the application."""

from mission_control.feature import Feature
from mission_control.fleet import (
    changes,
    chat_pages,
    conversation,
    following,
    gateway_agent,
    main_agents,
    models,
    notice_looking,
    notice_sending,
    onboarding_api,
    onboarding_pages,
    onboarding_queries,
    provisioning_api,
    provisioning_files,
    provisioning_pages,
    provisioning_schemas,
    runner,
    session_api,
    session_pages,
    session_reading,
    session_usage,
    skill_api,
    skill_commands,
    skill_pages,
    skill_queries,
)
from mission_control.fleet.notice_sending import senders
from mission_control.fleet.skill_commands import INSTALL, UNINSTALL
from mission_control.log.event_log import Kind
from mission_control.tasks.notices import WORK_WAITS

skills = Feature(
    name="skills",
    models=(models,),
    rules=(skill_queries.rules,),
    reactions=(skill_commands.reactions,),
    kinds={
        "skill.created": Kind("A skill was added to the catalogue.", "added the skill", is_named_in_message=True),
        "skill.updated": Kind("A skill's name or description changed.", "changed the skill", is_named_in_message=True),
        "skill.deleted": Kind("A skill was removed from the catalogue.", "removed the skill", is_named_in_message=True),
        "skill.install_requested": Kind(
            "A person asked a gateway's main agent to install a skill.",
            "asked a gateway to install",
            is_named_in_message=True,
        ),
        "skill.uninstall_requested": Kind(
            "A person asked a gateway's main agent to remove a skill.",
            "asked a gateway to remove",
            is_named_in_message=True,
        ),
        "gateway.main.skill_message.sent": Kind(
            "A gateway's main agent got the request about a skill.",
            "told the gateway's agent:",
            is_named_in_message=True,
        ),
        "gateway.main.skill_message.failed": Kind(
            "A request about a skill was given up.", "could not tell the gateway's agent:", is_named_in_message=True
        ),
        "skill_pack.created": Kind(
            "A repository was added as a skill pack.", "added the skill pack", is_named_in_message=True
        ),
        "skill_pack.updated": Kind("A skill pack changed.", "changed the skill pack", is_named_in_message=True),
        "skill_pack.deleted": Kind(
            "A skill pack was removed; its skills stayed.", "removed the skill pack", is_named_in_message=True
        ),
        "skill_pack.synced": Kind(
            "Reading a skill pack changed the catalogue.", "read the skill pack", is_named_in_message=True
        ),
    },
    lookups=(
        skill_queries.visible_skill,
        skill_queries.visible_pack,
    ),
    blueprints=(
        skill_api.api,
        skill_api.install_api,
        skill_api.packs_api,
        skill_pages.pack_pages,
        skill_pages.pages,
    ),
    notices={INSTALL: "skill_install", UNINSTALL: "skill_uninstall"},
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
    rules=(provisioning_schemas.rules,),
    reactions=(main_agents.reactions, changes.reactions),
    kinds=KINDS,
    blueprints=(provisioning_api.api, provisioning_pages.pages),
    agent_tabs=(provisioning_pages.AGENT_TAB,),
    gateway_tabs=(provisioning_pages.GATEWAY_TAB,),
    loops=(runner.RUNNER,),
    on_gateway_connected=(gateway_agent.heal, runner.connected),
    before_removal=changes.end_all_turns,
    prepare=provisioning_files.prepare,
)


onboarding = Feature(
    name="onboarding",
    models=(models,),
    rules=(onboarding_queries.rules,),
    kinds={
        "onboarding.started": Kind(
            "A person started the conversation about a board with its gateway's main agent.",
            "started the conversation about",
        ),
        "onboarding.answered": Kind("A person answered the main agent.", "answered about"),
        "onboarding.resent": Kind(
            "A person had the main agent sent again what it had not answered.", "asked again about"
        ),
        "onboarding.agent_notified": Kind("The main agent got what a person said about a board."),
        "onboarding.agent_notify_failed": Kind("What a person said could not be sent to the main agent."),
        "onboarding.agent_silent": Kind(
            "The main agent has not answered within five minutes.", "waits for the main agent of"
        ),
        "onboarding.cancelled": Kind("A person cancelled the conversation.", "cancelled the conversation about"),
        "onboarding.asked": Kind("A gateway's main agent asked something about a new board.", "asked something about"),
        "onboarding.drafted": Kind(
            "A gateway's main agent proposed a goal and a lead for a board.", "proposed a goal for"
        ),
        "onboarding.confirmed": Kind("A person confirmed a board's goal; the board has a lead.", "set up"),
    },
    loops=(conversation.SILENCE,),
    blueprints=(
        onboarding_api.api,
        onboarding_pages.pages,
        chat_pages.pages,
    ),
    asides=chat_pages.ASIDES,
    regions=(*chat_pages.CHAT_REGIONS, *chat_pages.REGIONS),
)


gateway_sessions = Feature(
    name="gateway_sessions",
    models=(models,),
    rules=(session_reading.rules,),
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
    blueprints=(session_api.api, session_pages.pages),
    agent_tabs=(session_pages.TAB,),
    gateway_tabs=(session_pages.GATEWAY_TAB,),
    regions=(*session_pages.REGIONS, *session_pages.LIST_REGIONS),
    gateway_events={"chat": session_usage.on_chat, "agent": following.on_agent},
    on_gateway_connected=(following.on_connected, session_usage.measure_soon),
    loops=(session_usage.USAGE, following.DROPPING),
    on_notify_family={following.FAMILY: following.on_watch},
)


gateway_notices = Feature(
    name="gateway_notices",
    rules=(notice_sending.rules,),
    senders=senders,
    notices={WORK_WAITS: "work_waits"},
    loops=(notice_looking.OPEN_WORK,),
    on_gateway_connected=(notice_sending.resend_interrupted, notice_sending.resend_greetings),
)
