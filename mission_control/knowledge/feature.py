"""What the room `knowledge` adds to the application."""

from mission_control.core.actor import can
from mission_control.feature import Feature
from mission_control.knowledge import (
    asides,
    dashboard,
    group_api,
    group_commands,
    group_page,
    group_queries,
    memory_api,
    memory_commands,
    memory_pages,
    memory_queries,
    metrics_pages,
    models,
    search_pages,
    search_queries,
)
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry

groups = Feature(
    name="groups",
    models=(models,),
    rules=(group_queries.rules,),
    reactions=(group_commands.reactions,),
    kinds={
        "board.group.join.notified": Kind("An agent received the notice that a board joined the group."),
        "board.group.join.notify_failed": Kind("The notice that a board joined the group was given up."),
        "board.group.leave.notified": Kind("An agent received the notice that a board left the group."),
        "board.group.leave.notify_failed": Kind("The notice that a board left the group was given up."),
        "board_group.created": Kind("A board group was created.", "made the board group", is_named_in_message=True),
        "board_group.updated": Kind(
            "A board group's name, slug or description changed.", "changed the board group", is_named_in_message=True
        ),
        "board_group.deleted": Kind(
            "A board group was deleted with its memory; its boards stayed.",
            "deleted the board group",
            is_named_in_message=True,
        ),
    },
    lookups=(group_queries.visible_group,),
    blueprints=(
        group_api.api,
        group_page.pages,
    ),
    regions=group_page.PAGE_REGIONS,
    palette=(
        PaletteEntry("Board groups", "/groups", "layers", "boards side by side", position=42),
        PaletteEntry(
            "New board group",
            "/groups/new",
            "plus",
            position=31,
            group="Do",
            may=lambda actor, board: can(actor, "board_group.create", actor.organization_id),
        ),
    ),
    notices={
        "BOARD GROUP UPDATED": "group_updated",
    },
)


memory = Feature(
    name="memory",
    models=(models,),
    rules=(memory_queries.rules,),
    reactions=(memory_commands.reactions,),
    kinds={
        "memory.created": Kind("An entry was added to a board's memory or chat."),
        "memory.updated": Kind("An entry of a board's memory changed.", "changed the memory of the board"),
        "memory.deleted": Kind(
            "An entry of a board's memory was deleted.", "deleted something from the memory of the board"
        ),
        "group_memory.created": Kind("An entry was added to a group's memory."),
        "group_memory.updated": Kind("An entry of a group's memory changed.", "changed the memory of a board group"),
        "group_memory.deleted": Kind(
            "An entry of a group's memory was deleted.", "deleted something from the memory of a board group"
        ),
    },
    lookups=(
        memory_queries.visible_entry,
        memory_queries.visible_group_entry,
    ),
    blueprints=(
        memory_api.api,
        memory_api.group_api,
        memory_pages.pages,
    ),
    asides=asides.ASIDES,
    regions=asides.REGIONS,
    notices={
        "BOARD CHAT": "chat",
        "BOARD CHAT MENTION": "chat_mention",
        "GROUP CHAT": "group_chat",
        "GROUP CHAT MENTION": "group_chat_mention",
        "GROUP BROADCAST": "group_broadcast",
        "/pause": "pause",
        "/resume": "resume",
    },
)


metrics = Feature(
    name="metrics",
    blueprints=(dashboard.api, metrics_pages.pages),
    regions=metrics_pages.REGIONS,
    palette=(PaletteEntry("Metrics", "/metrics", "gauge", "charts figures dashboard statistics", position=60),),
)


search = Feature(
    name="search",
    blueprints=(
        search_queries.api,
        search_pages.pages,
    ),
)
