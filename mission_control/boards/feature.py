"""What the room `boards` adds to the application."""

from mission_control.boards import api, commands, models, pages, policy, queries, views
from mission_control.boards.staging import STAGING
from mission_control.core.actor import can
from mission_control.feature import Feature
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry

boards = Feature(
    name="boards",
    models=(models,),
    rules=(policy.rules,),
    reactions=(commands.reactions,),
    kinds={
        "board.created": Kind("A board was created.", "made the board"),
        "board.updated": Kind("A board's fields or rules changed."),
        "board.deleted": Kind("A board was deleted; it can be restored.", "deleted the board"),
        "board.restored": Kind("A deleted board was restored with everything on it.", "restored the board"),
        "board.erased": Kind("A board was deleted for good with everything on it.", "erased the board"),
        "board.work_state_changed": Kind("The agents of a board were paused, stopped or resumed."),
        "view.created": Kind("A view of a board was saved for everybody.", "saved the view"),
        "view.updated": Kind("A shared view of a board changed.", "changed the view"),
        "view.deleted": Kind("A shared view of a board was deleted.", "deleted the view"),
    },
    lookups=(queries.visible_board, views.visible_view),
    blueprints=(api.api, pages.pages),
    palette=(
        PaletteEntry("Boards", "/boards", "square-kanban", position=40),
        PaletteEntry(
            "New board",
            "/boards/new",
            "plus",
            position=30,
            group="Do",
            may=lambda actor, board: can(actor, "board.create", actor.organization_id),
        ),
    ),
    loops=(STAGING,),
    regions=pages.REGIONS,
)


runs = Feature(
    name="runs",
    models=(models,),
)
