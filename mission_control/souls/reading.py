"""The directory as pages read it: what was found, or why nothing was."""

from mission_control.core.errors import Unreachable
from mission_control.souls.directory import SoulsDirectory
from mission_control.souls.schemas import SoulsDirectoryMarkdownResponse, SoulsDirectorySoulRef


async def search(directory: SoulsDirectory, words: str, limit: int) -> tuple[list[SoulsDirectorySoulRef], str]:
    """Return the souls that fit, and why the directory cannot be read, else ""."""
    try:
        return await directory.search(words, limit), ""
    except Unreachable as error:
        return [], error.sentence


async def text(directory: SoulsDirectory, handle: str, slug: str) -> tuple[SoulsDirectoryMarkdownResponse | None, str]:
    """Return a soul, and why it cannot be read, else ""."""
    try:
        return await directory.text(handle, slug), ""
    except Unreachable as error:
        return None, error.sentence
