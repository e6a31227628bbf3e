"""What the work on a task hears while it goes on: from its agent, from people, from the lease."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import queue

    from mission_control.client.shapes import Message, Values

    Inbox = queue.Queue["Event"]


class Event:
    """An event of a kind.

    `message`: an agent (`source`) asks or tells something · `answer`: it answers · `closed`: it has ended · `tick`:
    nothing for a while · `note`: people write · `stop`, `denied`, `lost`: it is over, by people, by a decision, by the
    lease.
    """

    def __init__(self, kind: str, text: str = "", source: object = None, message: Message | None = None) -> None:
        self.kind, self.text, self.source = kind, text, source
        self.message: Message = message or {}

    @property
    def result(self) -> Values:
        """The result of an answer; {} of all else."""
        result = self.message.get("result")
        return result if self.kind == "answer" and isinstance(result, dict) else {}
