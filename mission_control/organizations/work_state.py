"""Running, paused or stopped: the words for agents, boards and organizations, and an organization's own state."""

from mission_control.database.sql import is_postgres, rows

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
LOCK_KEY = 7_204_118_332


async def may_hand_out() -> None:
    """Inside a command that hands out work: nobody's state is changed until it ends."""
    if is_postgres():
        await rows(f"SELECT pg_advisory_xact_lock_shared({LOCK_KEY})")


async def hold_hand_outs() -> None:
    """Inside a command that changes a state: wait for hand-outs under way, and let none begin until it ends."""
    if is_postgres():
        await rows(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
