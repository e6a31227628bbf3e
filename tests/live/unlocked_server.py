"""`mission-control` that serves a SQLite file beside another server: a second process that writes, as commands do."""

from contextlib import nullcontext

from mission_control.cli import main
from mission_control.database import setup

if __name__ == "__main__":
    setup.held = lambda *_: nullcontext()  # type: ignore[assignment]
    main()
