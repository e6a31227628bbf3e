"""Search on SQLite reads the beginning of a long text, as it does on PostgreSQL.

To index a megabyte takes a tenth of a second, in which nobody else can write.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

IS_LONG = "(length(title) >= 20000 OR length(body) >= 100000)"
SHORT = "substr({row}title, 1, 20000), substr({row}body, 1, 100000)"

UP = {
    "sqlite": f"""
        DROP TRIGGER search_words_added;
        INSERT INTO search_words (search_words, rowid, title, body)
            SELECT 'delete', id, title, body FROM search_documents WHERE {IS_LONG};
        UPDATE search_documents SET (title, body) = ({SHORT.format(row="")}) WHERE {IS_LONG};
        INSERT INTO search_words (rowid, title, body) SELECT id, title, body FROM search_documents WHERE {IS_LONG};
        CREATE TRIGGER search_words_added AFTER INSERT ON search_documents BEGIN
            UPDATE search_documents SET (title, body) = ({SHORT.format(row="")}) WHERE id = new.id AND {IS_LONG};
            INSERT INTO search_words (rowid, title, body) VALUES (new.id, {SHORT.format(row="new.")});
        END;
    """,
    "postgres": "",
}

DOWN = {
    "sqlite": """
        DROP TRIGGER search_words_added;
        CREATE TRIGGER search_words_added AFTER INSERT ON search_documents BEGIN
            INSERT INTO search_words (rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
    """,
    "postgres": "",
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
