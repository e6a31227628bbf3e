"""Entries of the palette that features declare: places to go to and things to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from mission_control.core.actor import Actor, BoardLike


class NamedBoard(BoardLike, Protocol):
    """The board that the reader is on."""

    name: str


def _anybody(actor: Actor, board: NamedBoard | None) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """An entry: its label, address, glyph, and further words that find it.

    `{board}` and `{board_id}` stand for the board that the reader is on. `may` says who gets the entry, asked with the
    reader and that board, None on other pages. Entries are listed by `position`, and `searched_only` ones only when
    somebody typed something.
    """

    label: str
    url: str
    icon: str
    words: str = ""
    position: int = 0
    group: Literal["Go to", "Do"] = "Go to"
    may: Callable[[Actor, NamedBoard | None], bool] = _anybody
    searched_only: bool = False


# The entries of the installed features.
ENTRIES: list[PaletteEntry] = []
