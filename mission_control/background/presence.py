"""Who is at a board, in all processes: announced again and again, kept in memory, forgotten when no process says so."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.background.loops import Loop
from mission_control.core.extensions import Part
from mission_control.core.values import parse_id
from mission_control.events import broker
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.events.wakeup_channels import hear_family

REPEAT_SECONDS = 20.0
PRESENT_SECONDS = 50.0
TOGETHER_SECONDS = 1.0  # who comes or goes within this time after a change is shown together
AT_ONCE = 30  # names in one notification

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Members:
    """Who is at a board, each until when, and in order; what keeps changes back, and if there was one since."""

    organization_id: UUID
    until: dict[str, float] = field(default_factory=dict)
    order: list[str] | None = None
    pause: "asyncio.Task[None] | None" = None
    changed: bool = False


class Presence(Part):
    """What is present at boards in one way, by names without spaces; pages hear the signal when somebody came or went.

    The family is that of the channels by which processes tell each other.
    """

    def __init__(self, family: str, signal: str) -> None:
        self.family, self._signal = family, signal
        self._here: Counter[str] = Counter()  # of this process
        self._known: dict[UUID, _Members] = {}  # of all processes, by board
        self._ending: set[asyncio.Task[None]] = set()  # so that none is collected before it is done

    def install(self) -> None:
        hear_family(self.family, self.hear)
        Loop(
            name=f"announcing {self.family}",
            look=self.repeat,
            pause=REPEAT_SECONDS,
            when=lambda: bool(self._known or self._here),
        ).install()

    def at(self, board_id: UUID) -> list[str]:
        known = self._known.get(board_id)
        if known is None:
            return []
        if known.order is None:
            known.order = sorted(known.until)
        return known.order

    @asynccontextmanager
    async def kept(self, organization_id: UUID, board_id: UUID, member: str) -> AsyncIterator[None]:
        """Announce a member for the length of a block."""
        name = await self.enter(organization_id, board_id, member)
        try:
            yield
        finally:
            self.leave(name)

    async def enter(self, organization_id: UUID, board_id: UUID, member: str) -> str:
        """Announce a member, and return the name under which it leaves: as often as it entered."""
        name = f"{organization_id}:{board_id}:{member}"
        self._here[name] += 1
        if self._here[name] == 1:
            await self._publish([name], "here")
        return name

    def leave(self, name: str, after: float = 0.0) -> None:
        """Announce that a member is gone, after some seconds, unless it entered again."""
        if after:
            asyncio.get_running_loop().call_later(after, self.leave, name)
            return
        self._here[name] -= 1
        if self._here[name] <= 0:
            del self._here[name]
            self._ending.add(task := asyncio.create_task(self._publish([name], "gone")))
            task.add_done_callback(self._ending.discard)

    async def _publish(self, names: list[str], word: str) -> None:
        try:
            for start in range(0, len(names), AT_ONCE):
                await publish_wakeup(*(f"{self.family}:{word}:{name}" for name in names[start : start + AT_ONCE]))
        except Exception:  # the next repetition makes up for it
            _log.debug("%s could not be announced", self.family, exc_info=True)

    async def repeat(self) -> None:
        """Announce again who is here, and forget whom no process has announced for a while."""
        await self._publish(list(self._here), "here")
        now = time.monotonic()
        for board_id, known in list(self._known.items()):
            if gone := [one for one, until in known.until.items() if until <= now]:
                for one in gone:
                    del known.until[one]
                self._changed(board_id, known)

    def hear(self, channel: str) -> None:
        """Take a notification of the family, and tell the readers of this process when somebody came or went."""
        _, word, organization, board, member = channel.split(":", 4)
        organization_id, board_id = parse_id(organization), parse_id(board)
        if organization_id is None or board_id is None:
            return
        known, now = self._known.setdefault(board_id, _Members(organization_id)), time.monotonic()
        was_here = known.until.pop(member, None) is not None
        if word == "here":
            known.until[member] = now + PRESENT_SECONDS
        if was_here != (word == "here"):
            self._changed(board_id, known)

    def _changed(self, board_id: UUID, known: _Members) -> None:
        """Tell the readers of a board: of the first change at once, of those that follow it together."""
        known.order = None
        if known.pause is not None and not known.pause.done():
            known.changed = True
            return
        if (running := broker.current()) is not None:
            running.signal(known.organization_id, {self._signal: str(board_id), "board_id": str(board_id)})
        known.changed, known.pause = False, asyncio.create_task(self._keep_back(board_id, known))

    async def _keep_back(self, board_id: UUID, known: _Members) -> None:
        await asyncio.sleep(TOGETHER_SECONDS)
        known.pause = None
        if known.changed:
            self._changed(board_id, known)
        elif not known.until and self._known.get(board_id) is known:
            del self._known[board_id]
