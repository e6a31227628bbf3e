"""Search on PostgreSQL: a word is a word wherever it stands, as it is on SQLite.

PostgreSQL's parser keeps addresses, file names, dates and versions whole, so that no part of them was found. Signs of
ASCII are blanks for the index from now on.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

TITLE, BODY = 'left("title", 20000)', 'left("body", 200000)'
SIGNS = """'!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~'"""


def without_marks(text: str) -> str:
    """A text without its combining marks."""
    return rf"regexp_replace(normalize({text}, NFD), '[\u0300-\u036f]', '', 'g')"


def without_signs(text: str) -> str:
    """The same, with a blank for every sign."""
    return f"translate({without_marks(text)}, {SIGNS}, repeat(' ', 32))"


def words(title: str, body: str) -> str:
    """The index of words, made anew."""
    return f"""
        DROP INDEX "idx_search_documents_words";
        ALTER TABLE search_documents DROP COLUMN "words";
        ALTER TABLE search_documents ADD COLUMN "words" TSVECTOR GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', {title}), 'A') || setweight(to_tsvector('simple', {body}), 'B')
        ) STORED;
        CREATE INDEX "idx_search_documents_words" ON "search_documents" USING GIN ("words");
    """


UP = {"sqlite": "", "postgres": words(without_signs(TITLE), without_signs(BODY))}

DOWN = {"sqlite": "", "postgres": words(without_marks(TITLE), without_marks(BODY))}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
