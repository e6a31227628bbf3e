"""What exports add to the application."""

from mission_control.exports import api, policy
from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.live.kinds import Kind

exports = Feature(
    name="exports",
    rules=(policy.rules,),
    kinds={
        "board.imported": Kind("A board was created from a file.", "made from a file the board"),
    },
    blueprints=(api.api,),
    body_limits=(BodyLimit("POST", "/api/v1/boards/import", "import_max_bytes"),),
)
