"""What search adds to the application."""

from mission_control.feature import Feature
from mission_control.search import api, pages

search = Feature(
    name="search",
    blueprints=(
        api.api,
        pages.pages,
    ),
)
