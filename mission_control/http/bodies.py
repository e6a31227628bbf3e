"""Limit the bytes of request bodies that the process holds at the same time, for each address and in total."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mission_control.core.errors import DomainError

# What anybody may send. More is read only with valid credentials.
ANONYMOUS_BYTES = 2**16
# The part of the memory that larger bodies may fill together, so that slow uploads keep no small request out.
LARGE_SHARE = 3, 4


class Busy(DomainError):
    """Too many bodies are being sent."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many uploads are under way. Try again in a moment.")
        self.headers["Retry-After"] = "2"


class BodiesInFlight:
    """Bytes of bodies that are held, by the address they came from."""

    def __init__(self) -> None:
        self.most = self.most_of_address = 0
        self.total = 0
        self._held: Counter[str] = Counter()

    def reserve(self, source: str, count: int, *, is_large: bool = False) -> None:
        """Reserve more bytes, of a body that is larger than anybody may send or not; Busy when the limit is reached."""
        part, whole = LARGE_SHARE if is_large else (1, 1)
        total, of_address = self.total + count, self._held[source] + count
        if total * whole > self.most * part or of_address * whole > self.most_of_address * part:
            raise Busy
        self.total += count
        self._held[source] += count

    def release(self, source: str, count: int) -> None:
        """Release reserved bytes."""
        self.total -= count
        self._held[source] -= count
        if not self._held[source]:
            del self._held[source]

    @contextmanager
    def counted(self, source: str) -> Iterator[Callable[[int], None]]:
        """Return a function that reserves more bytes; all of them are released at the end."""
        held = 0

        def reserve(count: int) -> None:
            nonlocal held
            self.reserve(source, count, is_large=held + count > ANONYMOUS_BYTES)
            held += count

        try:
            yield reserve
        finally:
            self.release(source, held)


bodies = BodiesInFlight()
