"""What agents of gateways are sent: the notice's header in the first line, then its text."""

from mission_control.delivery.models import Delivery

# What the server tells an agent that has not taken up its work.
WORK_WAITS = "WORK WAITS"


def message_of(delivery: Delivery) -> str:
    """Return the message of a notice."""
    if delivery.data.get("raw"):
        return delivery.text
    return f"{delivery.header}\n{delivery.text}".rstrip("\n") if delivery.text else delivery.header
