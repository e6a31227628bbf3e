"""What metrics add to the application."""

from mission_control.feature import Feature
from mission_control.metrics import api, pages
from mission_control.web.shell import PaletteEntry

metrics = Feature(
    name="metrics",
    blueprints=(api.api, pages.pages),
    regions=pages.REGIONS,
    palette=(PaletteEntry("Metrics", "/metrics", "gauge", "charts figures dashboard statistics", position=60),),
)
