"""The HTTP layers that every request passes before its sender is known."""
