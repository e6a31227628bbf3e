"""What Home adds to the application."""

from mission_control.feature import Feature
from mission_control.home import pages, regions
from mission_control.web.shell import PaletteEntry

home = Feature(
    name="home",
    blueprints=(pages.pages,),
    regions=regions.REGIONS,
    palette=(PaletteEntry("Home", "/", "house", "needs you queue inbox start", position=1),),
)
