"""What groups add to the application."""

from mission_control.core.policy import can
from mission_control.feature import Feature
from mission_control.groups import api, commands, group_page, models, pages, queries
from mission_control.live.kinds import Kind
from mission_control.web.shell import PaletteEntry

groups = Feature(
    name="groups",
    models=(models,),
    rules=(queries.rules,),
    reactions=(commands.reactions,),
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
    lookups=(queries.visible_group,),
    blueprints=(
        api.api,
        pages.pages,
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
