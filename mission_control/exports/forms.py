"""What people send to import a board."""

import asyncio
from typing import Any, Self

from pydantic import ValidationError
from quart import request

from mission_control.exports.file import BoardFile
from mission_control.web.forms import Form, FormInvalid

NO_FILE = "Choose a file that was exported from a board."
NO_BOARD_FILE = "This is no file of a board. Choose the JSON file that a board's export gives."


class ImportForm(Form):
    """An exported file, in the field `file`."""

    file_read: BoardFile | None = None

    @classmethod
    async def read(cls) -> Self:
        """Read the file of the request. Raise FormInvalid when it is no file of a board."""
        given = (await request.files).get("file")
        text: bytes = given.read() if given is not None else b""
        if not text.strip():
            raise FormInvalid({}, {"file": NO_FILE})
        try:
            return cls(file_read=await asyncio.to_thread(BoardFile.model_validate_json, text))
        except ValidationError as error:
            raise FormInvalid({}, {"file": _sentence(error)}) from None

    def body(self, found: Any) -> BoardFile | None:
        return self.file_read


def _sentence(error: ValidationError) -> str:
    """Return the first thing that is wrong with a file, and where."""
    first = error.errors()[0]
    if first["type"] == "json_invalid" or first["loc"][:1] in (("format",), ("board",)):
        return NO_BOARD_FILE
    if first["loc"][:1] == ("version",):
        return "This file is of another version of Mission Control, which this one cannot read."
    place = ".".join(str(one) for one in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"The file cannot be used{f' at {place}' if place else ''}: {reason}."
