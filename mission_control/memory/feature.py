"""What memory adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.memory import api, asides, commands, models, pages, queries

memory = Feature(
    name="memory",
    models=(models,),
    rules=(queries.rules,),
    reactions=(commands.reactions,),
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
        queries.visible_entry,
        queries.visible_group_entry,
    ),
    blueprints=(
        api.api,
        api.group_api,
        pages.pages,
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
