"""Programs that people connect to a board: what every room says of them. Each is a part of its module in
`runs/programs/`, which knows the rest."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from mission_control.core.extensions import Part, add

OTHER = "other"  # what is none of them


@dataclass(frozen=True)
class ConnectedProgram(Part):
    """A program by its name, the command that starts it, and a hint for who connects it.

    One that is not `held` goes on when its hook gets no answer. What it asks takes these `answers` of people; without
    any, it is answered at its keyboard alone.
    """

    client: str
    name: str = field(default="", kw_only=True)
    start: str = field(default="", kw_only=True)
    hint: str = field(default="", kw_only=True)
    answers: tuple[str, ...] = field(default=(), kw_only=True)
    is_held: bool = field(default=True, kw_only=True)

    def install(self) -> None:
        add(PROGRAMS, self.client, self)


PROGRAMS: dict[str, ConnectedProgram] = {}


def program_name(client: str | None, otherwise: str = "") -> str:
    if client == OTHER:
        return "Program"
    return PROGRAMS[client].name if client in PROGRAMS else otherwise


def unheld_programs() -> list[str]:
    return sorted(client for client, program in PROGRAMS.items() if not program.is_held)


def is_held(client: str) -> bool:
    return client in PROGRAMS and PROGRAMS[client].is_held


def clients() -> tuple[str, ...]:
    return *sorted(PROGRAMS), OTHER


def client_choices() -> str:
    return f"{', '.join(sorted(PROGRAMS))} or {OTHER}"


def _checked(client: str) -> str:
    if client not in PROGRAMS and client != OTHER:
        *others, last = (f"'{key}'" for key in clients())
        expected = f"{', '.join(others)} or {last}"
        raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
    return client


def _listed(schema: JsonDict) -> None:
    schema["enum"] = [*clients()]


Client = Annotated[str, AfterValidator(_checked), Field(json_schema_extra=_listed)]
