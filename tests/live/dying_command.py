"""`mission-control` that is killed right after the n-th statement on PostgreSQL with these words: `N WORDS COMMAND...`.

BEGIN and COMMIT are statements too, and rows on their way are `COPY TABLE`.
"""

import os
import signal
import sys
from typing import Any

import asyncpg

from mission_control.cli import main
from mission_control.database import move_source


class Death:
    """Counts statements, and kills this process after one of them."""

    def __init__(self, left: int, words: str) -> None:
        self._left, self._words = left, words

    def after(self, method: str, word: str) -> None:
        """Let it come after a method of connections."""
        statement = getattr(asyncpg.Connection, method)

        async def run(connection: Any, text: str, *values: Any, **options: Any) -> Any:
            answer = await statement(connection, text, *values, **options)
            self._left -= self._words in f"{word}{text}"
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        setattr(asyncpg.Connection, method, run)


if __name__ == "__main__":
    move_source.BATCH_ROWS = 2
    death = Death(int(sys.argv.pop(1)), sys.argv.pop(1))
    death.after("execute", "")
    death.after("copy_records_to_table", "COPY ")
    main()
