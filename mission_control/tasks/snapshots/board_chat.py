"""Read a board's memory and chat; a board's snapshot holds the newest messages."""

from uuid import UUID

from mission_control.database.sql import Row, as_json, rows, wire_moment
from mission_control.people.accounts.names import person_name

COLUMNS = (
    "m.id, m.content, m.tags, m.source, m.is_chat, m.created_at, m.edited_at, m.author_user_id, m.author_agent_id,"
    f" {person_name('u', 'User')} AS user_name, g.name AS agent_name"
)
AUTHORS = " LEFT JOIN users u ON u.id = m.author_user_id LEFT JOIN agents g ON g.id = m.author_agent_id"
NOT_BLANK = "TRIM(m.content) <> ''"
NEWEST_FIRST = " ORDER BY m.created_at DESC, m.id DESC"
NEWEST_MESSAGES = 200


async def newest_chat(board_id: UUID) -> list[Row]:
    messages = await rows(
        f"SELECT m.board_id, {COLUMNS} FROM board_memory m{AUTHORS}"
        f" WHERE m.board_id = ? AND m.is_chat AND {NOT_BLANK}{NEWEST_FIRST} LIMIT {NEWEST_MESSAGES}",
        board_id,
    )
    return [serialize_entry(row, "board_id") for row in reversed(messages)]


def serialize_entry(row: Row, home: str) -> Row:
    return {
        "id": row["id"],
        home: row[home],
        "content": row["content"],
        "tags": as_json(row["tags"]),
        "source": row["source"],
        "is_chat": bool(row["is_chat"]),
        "created_at": wire_moment(row["created_at"]),
        "author": _author(row),
        "edited_at": wire_moment(row["edited_at"]),
    }


def _author(row: Row) -> Row | None:
    if row["author_agent_id"] is not None:
        return {"kind": "agent", "id": row["author_agent_id"], "name": row["agent_name"]}
    if row["author_user_id"] is not None:
        return {"kind": "user", "id": row["author_user_id"], "name": row["user_name"]}
    return None
