"""Where the last check of an organization's log is stored."""

from uuid import UUID


def check_name(organization_id: UUID) -> str:
    """Return the name of the setting that holds it."""
    return f"audit:{organization_id}"
