"""What work beside requests adds to the application: the rows of deliveries."""

from mission_control.feature import Feature
from mission_control.work import deliveries

work = Feature(name="work", models=(deliveries,))
