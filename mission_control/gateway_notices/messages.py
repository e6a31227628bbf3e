"""What agents of gateways are sent: the notice's header in the first line, then its text."""

from mission_control.delivery.models import Delivery

# Sent as it is, without a header.
NUDGE = "NUDGE"


def message_of(delivery: Delivery) -> str:
    """Return the message of a notice."""
    if delivery.header == NUDGE or delivery.data.get("raw"):
        return delivery.text
    return f"{delivery.header}\n{delivery.text}".rstrip("\n") if delivery.text else delivery.header
