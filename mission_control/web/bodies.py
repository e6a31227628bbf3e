"""How much of request bodies the process holds at the same time: for each address, and in all."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mission_control.core.errors import DomainError

# What anybody may send. More is read only from somebody with good credentials.
ANONYMOUS_BYTES = 2**16


class Busy(DomainError):
    """Too many bodies are on their way."""

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

    def reserve(self, source: str, count: int) -> None:
        """Make room for more bytes; Busy when there is none."""
        if self.total + count > self.most or self._held[source] + count > self.most_of_address:
            raise Busy
        self.total += count
        self._held[source] += count

    def release(self, source: str, count: int) -> None:
        """Give room back."""
        self.total -= count
        self._held[source] -= count
        if not self._held[source]:
            del self._held[source]

    @contextmanager
    def counted(self, source: str) -> Iterator[Callable[[int], None]]:
        """A function that makes room for more bytes, all of which is given back at the end."""
        held = 0

        def reserve(count: int) -> None:
            nonlocal held
            self.reserve(source, count)
            held += count

        try:
            yield reserve
        finally:
            self.release(source, held)


bodies = BodiesInFlight()
