"""Whether something that was said is still anywhere in the database."""

from mission_control.database.sql import is_postgres, rows

TABLES = (
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'search_[wv]*_*'",
)


async def where_is(words: str) -> set[str]:
    """The tables of which some row holds these words, in whatever column."""
    names = [row["name"] for row in await rows(TABLES[0] if is_postgres() else TABLES[1])]
    assert "task_comments" in names
    return {name for name in names if words in str(await rows(f'SELECT * FROM "{name}"'))}
