"""Search by terms that the program makes (`core/text/terms.py`), beside the write: triggers note what is to be indexed."""

from mission_control.database.migrate import by_dialect, scripts_of

RUN_IN_TRANSACTION = True

# What is indexed of each table, when, and which of its rows are in the index.
KEPT = {
    "tasks": ("task", "title, description, board_id, deleted_at, archived_at"),
    "task_comments": ("comment", "message, deleted_at"),
    "board_memory": ("memory", "content"),
    "board_group_memory": ("group_memory", "content"),
    "approvals": ("approval", "action_type, payload, note"),
}
NOTE = "INSERT INTO search_pending (kind, thing_id) "
# Comments are found as long as their task stands on its board.
COMMENTS = f"{NOTE}SELECT 'comment', id FROM task_comments WHERE task_id = {{new}}.id AND deleted_at IS NULL AND ("
COMMENTS += " OR ".join(
    f"{{new}}.{column} IS DISTINCT FROM {{old}}.{column}" for column in ("board_id", "deleted_at", "archived_at")
)
COMMENTS += ");"
LIVING = "deleted_at IS NULL AND archived_at IS NULL"
FOUND = {"tasks": LIVING, "task_comments": f"deleted_at IS NULL AND task_id IN (SELECT id FROM tasks WHERE {LIVING})"}
EVERYTHING = "".join(
    f"{NOTE}SELECT '{kind}', id FROM {table} WHERE {FOUND.get(table, 'TRUE')} ORDER BY id;\n"
    for table, (kind, _) in KEPT.items()
)


def _sqlite(table: str, kind: str, columns: str) -> str:
    comments = COMMENTS.format(new="new", old="old").replace("IS DISTINCT FROM", "IS NOT") if kind == "task" else ""
    return f"""
        CREATE TRIGGER search_{kind}_added AFTER INSERT ON {table} BEGIN
            {NOTE}VALUES ('{kind}', new.id);
        END;
        CREATE TRIGGER search_{kind}_changed AFTER UPDATE OF {columns} ON {table} BEGIN
            {NOTE}VALUES ('{kind}', new.id);
            {comments}
        END;
        CREATE TRIGGER search_{kind}_removed AFTER DELETE ON {table} BEGIN
            DELETE FROM search_documents WHERE thing_id = old.id;
            {NOTE}VALUES ('', old.id);
        END;
    """


def _postgres(table: str, kind: str, columns: str) -> str:
    comments = f"IF TG_OP = 'UPDATE' THEN {COMMENTS.format(new='NEW', old='OLD')} END IF;" if kind == "task" else ""
    return f"""
        CREATE FUNCTION search_{kind}_noted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                DELETE FROM search_documents WHERE thing_id = OLD.id;
                {NOTE}VALUES ('', OLD.id);
                RETURN NULL;
            END IF;
            {NOTE}VALUES ('{kind}', NEW.id);
            {comments}
            RETURN NULL;
        END $$;
        CREATE TRIGGER search_{kind}_noted AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}
            FOR EACH ROW EXECUTE FUNCTION search_{kind}_noted();
    """


DROPPED = scripts_of("DOWN", "1_20261124000001")
BEFORE = scripts_of("UP", "1_20261124000001", "3_20261124000003", "29_20261128193000")

UP = {
    "sqlite": DROPPED["sqlite"]
    + """
        CREATE TABLE search_pending (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT, "kind" VARCHAR(16) NOT NULL, "thing_id" CHAR(36) NOT NULL
        );
        CREATE TABLE search_documents (
            "id" INTEGER PRIMARY KEY,
            "thing_id" CHAR(36) NOT NULL UNIQUE,
            "kind" VARCHAR(16) NOT NULL,
            "board_id" CHAR(36),
            "changed_at" TIMESTAMP NOT NULL
        );
        CREATE VIRTUAL TABLE search_words USING fts5(title, body, tokenize='ascii');
        CREATE VIRTUAL TABLE search_vocabulary USING fts5(
            word UNINDEXED, keys, tokenize='ascii', detail='none', columnsize=0
        );
        CREATE TRIGGER search_words_removed AFTER DELETE ON search_documents BEGIN
            DELETE FROM search_words WHERE rowid = old.id;
        END;
    """
    + "".join(_sqlite(table, *kept) for table, kept in KEPT.items())
    + EVERYTHING,
    "postgres": DROPPED["postgres"]
    + """
        CREATE TABLE search_pending (
            "id" BIGSERIAL PRIMARY KEY, "kind" VARCHAR(16) NOT NULL, "thing_id" UUID NOT NULL
        );
        CREATE TABLE search_documents (
            "id" BIGSERIAL PRIMARY KEY,
            "thing_id" UUID NOT NULL UNIQUE,
            "kind" VARCHAR(16) NOT NULL,
            "board_id" UUID,
            "changed_at" TIMESTAMP NOT NULL,
            "words" TSVECTOR NOT NULL
        );
        CREATE INDEX "idx_search_documents_words" ON "search_documents" USING GIN ("words");
        CREATE TABLE search_vocabulary ("word" TEXT COLLATE "C" PRIMARY KEY, "keys" TEXT[] NOT NULL);
        CREATE INDEX "idx_search_vocabulary_keys" ON "search_vocabulary" USING GIN ("keys");
    """
    + "".join(_postgres(table, *kept) for table, kept in KEPT.items())
    + EVERYTHING,
}

DOWN = {
    "sqlite": "".join(
        f"DROP TRIGGER search_{kind}_{when};\n" for kind, _ in KEPT.values() for when in ("added", "changed", "removed")
    )
    + "DROP TABLE search_words; DROP TABLE search_vocabulary; DROP TABLE search_documents; DROP TABLE search_pending;"
    + BEFORE["sqlite"],
    "postgres": "".join(
        f"DROP TRIGGER search_{kind}_noted ON {table}; DROP FUNCTION search_{kind}_noted();\n"
        for table, (kind, _) in KEPT.items()
    )
    + "DROP TABLE search_vocabulary; DROP TABLE search_documents; DROP TABLE search_pending;"
    + BEFORE["postgres"],
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
