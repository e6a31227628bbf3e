"""What gateway_requests adds to the application."""

from mission_control.feature import Feature

gateway_requests = Feature(
    name="gateway_requests",
)
