"""The connection on which a process hears what others change, on PostgreSQL; whatever befalls it, another one is made.

A process that does not fit the database, or whose database a newer version takes over, learns that here and leaves.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import asyncpg
from tortoise.exceptions import OperationalError

from mission_control.core.values import new_id
from mission_control.database import fit

DEAF = "not listening to the database"
SILENT_SECONDS = 15.0  # then the connection is asked whether it is still there: a firewall may have cut it
CONNECT_SECONDS, CHECK_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 10.0, 5.0
BROKEN = (
    OSError, TimeoutError, OperationalError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip

_log = logging.getLogger(__name__)


class NotNotified(Exception):
    """It listens, but what is notified does not arrive."""


class Listener:
    """Passes each notification to `hear`; calls `begun` when it listens anew, and `ended` when it no longer does."""

    def __init__(
        self, dsn: str, hear: Callable[[str], None], begun: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self.fault: str | None = DEAF
        # Raises Misfit if this process must not work on the database; None: nobody asks.
        self.check_fit: Callable[[], Awaitable[object]] | None = None
        # Called with the reason why this process has to end.
        self.leave: Callable[[str], None] = _log.error
        self.has_tried = asyncio.Event()
        self._dsn, self._hear, self._begun, self._ended = dsn, hear, begun, ended
        self._echo, self._has_echo = fit.echo(new_id().hex), asyncio.Event()
        self._connection: asyncpg.Connection | None = None

    async def run(self) -> None:
        """Listen; never returns."""
        pause = 0.1
        while True:
            fault = DEAF
            lost = asyncio.Event()
            try:
                self._connection = await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS)
                self._connection.add_termination_listener(lambda _, gone=lost: gone.set())
                await self._begin(self._connection)
                self.fault, pause = None, 0.1
                self._begun()
                self.has_tried.set()
                await _until(lost, self._connection)
            except fit.Misfit as error:
                self.leave(str(error))
            except NotNotified as error:
                fault = str(error)
                _log.error(fault)
            except BROKEN as error:
                _log.warning("the event listener is not connected: %s", error)
            self.fault = fault
            self.has_tried.set()
            self._ended()
            self.close()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _begin(self, connection: asyncpg.Connection) -> None:
        """Listen, and make sure that what another connection notifies arrives."""
        if self.check_fit is not None:
            await fit.hold_while_serving(connection)
        await connection.add_listener(fit.CHANNEL, self._on_notify)
        async with asyncio.timeout(CHECK_SECONDS):
            if self.check_fit is not None:
                await self.check_fit()
            self._has_echo.clear()
            await fit.notify(self._echo)
            try:
                await asyncio.wait_for(self._has_echo.wait(), fit.ECHO_SECONDS)
            except TimeoutError:
                raise NotNotified(fit.NOT_NOTIFIED) from None

    def _on_notify(self, _connection: asyncpg.Connection, _pid: int, _channel: str, payload: str) -> None:
        if payload == self._echo:
            self._has_echo.set()
        elif payload == fit.UPGRADE:
            self.leave(fit.NEW_VERSION)
        elif not payload.startswith('{"echo"'):
            self._hear(payload)


async def _until(lost: asyncio.Event, connection: asyncpg.Connection) -> None:
    while not lost.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), SILENT_SECONDS)
        if not lost.is_set():
            await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)
