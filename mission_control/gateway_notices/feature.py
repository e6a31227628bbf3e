"""What gateway_notices adds to the application."""

from mission_control.feature import Feature

gateway_notices = Feature(
    name="gateway_notices",
)
