"""The way back to the client of MCP."""

from mission_control.http.asgi import Header, Message, Send, add_missing


class Answer:
    """A `send` that adds what every answer carries, and knows how far it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[Header] = [(b"cache-control", b"no-store")]
        self.has_begun = False
        self.has_ended = False

    def add(self, headers: dict[str, str]) -> None:
        """Add headers to the answer that is to come."""
        self._headers += [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, message: Message) -> None:
        """Send the next part."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            add_missing(message, self._headers)
        elif not message.get("more_body", False):
            self.has_ended = True
        await self._send(message)
