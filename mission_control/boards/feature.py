"""What boards add to the application."""

from mission_control.boards import (
    api,
    index_pages,
    models,
    policy,
    queries,
    reactions,
    settings_pages,
    trash_pages,
    views_api,
    views_policy,
    views_queries,
    work_state_api,
)
from mission_control.boards.staging import STAGING
from mission_control.core.policy import can
from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.web.shell import PaletteEntry

boards = Feature(
    name="boards",
    models=(models,),
    rules=(policy.rules, views_policy.rules),
    reactions=(reactions.reactions,),
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
    lookups=(
        queries.visible_board,
        views_queries.visible_view,
    ),
    blueprints=(
        api.api,
        index_pages.pages,
        settings_pages.pages,
        trash_pages.pages,
        views_api.api,
        work_state_api.api,
    ),
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
    regions=index_pages.REGIONS,
)
