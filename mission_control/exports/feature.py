"""What exports add to the application."""

from mission_control.exports import api, models, pages, staged
from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.live.kinds import Kind

exports = Feature(
    name="exports",
    models=(models,),
    rules=(staged.rules,),
    kinds={
        "board.imported": Kind("A board was created from a file.", "made from a file the board"),
    },
    lookups=(staged.visible_import,),
    blueprints=(api.api, pages.pages),
    settings_pages=(pages.SETTINGS,),
    body_limits=(
        BodyLimit("POST", "/api/v1/boards/imports?", "import_max_bytes"),
        BodyLimit("POST", "/settings/import-export", "import_max_bytes"),
    ),
)
