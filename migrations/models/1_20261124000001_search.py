"""Search: one table of documents, kept by triggers, with FTS5 on SQLite and tsvector on PostgreSQL."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE search_documents (
            "id" INTEGER PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "thing_id" CHAR(36) NOT NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "task_id" CHAR(36),
            "title" TEXT NOT NULL,
            "body" TEXT NOT NULL,
            "changed_at" TIMESTAMP NOT NULL,
            UNIQUE ("kind", "thing_id")
        );
        CREATE INDEX "idx_search_documents_board" ON "search_documents" ("board_id");
        CREATE VIRTUAL TABLE search_words USING fts5(
            title, body, content='search_documents', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
        );
        CREATE TRIGGER search_words_added AFTER INSERT ON search_documents BEGIN
            INSERT INTO search_words (rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
        CREATE TRIGGER search_words_removed AFTER DELETE ON search_documents BEGIN
            INSERT INTO search_words (search_words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
        END;
        CREATE TRIGGER search_task_added AFTER INSERT ON tasks BEGIN
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'task', new.id, new.board_id, new.id, new.title, COALESCE(new.description, ''), new.updated_at WHERE new.deleted_at IS NULL;
        END;
        CREATE TRIGGER search_task_changed AFTER UPDATE OF title, description, board_id, deleted_at, archived_at ON tasks BEGIN
            DELETE FROM search_documents WHERE kind = 'task' AND thing_id = old.id;
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'task', new.id, new.board_id, new.id, new.title, COALESCE(new.description, ''), new.updated_at WHERE new.deleted_at IS NULL;
        END;
        CREATE TRIGGER search_task_removed AFTER DELETE ON tasks BEGIN
            DELETE FROM search_documents WHERE kind = 'task' AND thing_id = old.id;
        END;
        CREATE TRIGGER search_comment_added AFTER INSERT ON task_comments BEGIN
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'comment', new.id, (SELECT board_id FROM tasks WHERE id = new.task_id), new.task_id, '', new.message, new.created_at WHERE new.deleted_at IS NULL;
        END;
        CREATE TRIGGER search_comment_changed AFTER UPDATE OF message, deleted_at ON task_comments BEGIN
            DELETE FROM search_documents WHERE kind = 'comment' AND thing_id = old.id;
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'comment', new.id, (SELECT board_id FROM tasks WHERE id = new.task_id), new.task_id, '', new.message, new.created_at WHERE new.deleted_at IS NULL;
        END;
        CREATE TRIGGER search_comment_removed AFTER DELETE ON task_comments BEGIN
            DELETE FROM search_documents WHERE kind = 'comment' AND thing_id = old.id;
        END;
        CREATE TRIGGER search_memory_added AFTER INSERT ON board_memory BEGIN
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'memory', new.id, new.board_id, NULL, '', new.content, new.created_at WHERE 1 = 1;
        END;
        CREATE TRIGGER search_memory_changed AFTER UPDATE OF content ON board_memory BEGIN
            DELETE FROM search_documents WHERE kind = 'memory' AND thing_id = old.id;
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'memory', new.id, new.board_id, NULL, '', new.content, new.created_at WHERE 1 = 1;
        END;
        CREATE TRIGGER search_memory_removed AFTER DELETE ON board_memory BEGIN
            DELETE FROM search_documents WHERE kind = 'memory' AND thing_id = old.id;
        END;
        CREATE TRIGGER search_approval_added AFTER INSERT ON approvals BEGIN
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'approval', new.id, new.board_id, NULL, new.action_type, COALESCE(json_extract(new.payload, '$.reason'), '') || ' ' || COALESCE(new.note, ''), new.created_at WHERE 1 = 1;
        END;
        CREATE TRIGGER search_approval_changed AFTER UPDATE OF action_type, payload, note ON approvals BEGIN
            DELETE FROM search_documents WHERE kind = 'approval' AND thing_id = old.id;
            INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at) SELECT 'approval', new.id, new.board_id, NULL, new.action_type, COALESCE(json_extract(new.payload, '$.reason'), '') || ' ' || COALESCE(new.note, ''), new.created_at WHERE 1 = 1;
        END;
        CREATE TRIGGER search_approval_removed AFTER DELETE ON approvals BEGIN
            DELETE FROM search_documents WHERE kind = 'approval' AND thing_id = old.id;
        END;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'task', id, board_id, id, title, COALESCE(description, ''), updated_at FROM tasks WHERE deleted_at IS NULL;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'comment', c.id, t.board_id, c.task_id, '', c.message, c.created_at
            FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.deleted_at IS NULL;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'memory', id, board_id, NULL, '', content, created_at FROM board_memory;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'approval', id, board_id, NULL, action_type, COALESCE(json_extract(payload, '$.reason'), '') || ' ' || COALESCE(note, ''), created_at FROM approvals;
    """,
    "postgres": """
        CREATE TABLE search_documents (
            "id" BIGSERIAL PRIMARY KEY,
            "kind" VARCHAR(16) NOT NULL,
            "thing_id" UUID NOT NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "task_id" UUID,
            "title" TEXT NOT NULL,
            "body" TEXT NOT NULL,
            "changed_at" TIMESTAMP NOT NULL,
            "words" TSVECTOR GENERATED ALWAYS AS (
                setweight(to_tsvector('simple', regexp_replace(normalize(left("title", 20000), NFD), '[\u0300-\u036f]', '', 'g')), 'A')
                || setweight(to_tsvector('simple', regexp_replace(normalize(left("body", 200000), NFD), '[\u0300-\u036f]', '', 'g')), 'B')
            ) STORED,
            UNIQUE ("kind", "thing_id")
        );
        CREATE INDEX "idx_search_documents_board" ON "search_documents" ("board_id");
        CREATE INDEX "idx_search_documents_words" ON "search_documents" USING GIN ("words");
        CREATE FUNCTION search_task_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM search_documents WHERE kind = 'task' AND thing_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' AND (NEW.deleted_at IS NULL) THEN
                INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
                VALUES ('task', NEW.id, NEW.board_id, NEW.id, NEW.title, COALESCE(NEW.description, ''), NEW.updated_at);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER search_task_kept AFTER INSERT OR DELETE OR UPDATE OF title, description, board_id, deleted_at, archived_at ON tasks
            FOR EACH ROW EXECUTE FUNCTION search_task_kept();
        CREATE FUNCTION search_comment_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM search_documents WHERE kind = 'comment' AND thing_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' AND (NEW.deleted_at IS NULL) THEN
                INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
                VALUES ('comment', NEW.id, (SELECT board_id FROM tasks WHERE id = NEW.task_id), NEW.task_id, '', NEW.message, NEW.created_at);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER search_comment_kept AFTER INSERT OR DELETE OR UPDATE OF message, deleted_at ON task_comments
            FOR EACH ROW EXECUTE FUNCTION search_comment_kept();
        CREATE FUNCTION search_memory_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM search_documents WHERE kind = 'memory' AND thing_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' AND (1 = 1) THEN
                INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
                VALUES ('memory', NEW.id, NEW.board_id, NULL, '', NEW.content, NEW.created_at);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER search_memory_kept AFTER INSERT OR DELETE OR UPDATE OF content ON board_memory
            FOR EACH ROW EXECUTE FUNCTION search_memory_kept();
        CREATE FUNCTION search_approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM search_documents WHERE kind = 'approval' AND thing_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' AND (1 = 1) THEN
                INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
                VALUES ('approval', NEW.id, NEW.board_id, NULL, NEW.action_type, COALESCE(NEW.payload ->> 'reason', '') || ' ' || COALESCE(NEW.note, ''), NEW.created_at);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER search_approval_kept AFTER INSERT OR DELETE OR UPDATE OF action_type, payload, note ON approvals
            FOR EACH ROW EXECUTE FUNCTION search_approval_kept();
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'task', id, board_id, id, title, COALESCE(description, ''), updated_at FROM tasks WHERE deleted_at IS NULL;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'comment', c.id, t.board_id, c.task_id, '', c.message, c.created_at
            FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.deleted_at IS NULL;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'memory', id, board_id, NULL::uuid, '', content, created_at FROM board_memory;
        INSERT INTO search_documents (kind, thing_id, board_id, task_id, title, body, changed_at)
            SELECT 'approval', id, board_id, NULL::uuid, action_type, COALESCE(payload ->> 'reason', '') || ' ' || COALESCE(note, ''), created_at FROM approvals;
    """,
}

DOWN = {
    "sqlite": """
        DROP TRIGGER search_task_added;
        DROP TRIGGER search_task_changed;
        DROP TRIGGER search_task_removed;
        DROP TRIGGER search_comment_added;
        DROP TRIGGER search_comment_changed;
        DROP TRIGGER search_comment_removed;
        DROP TRIGGER search_memory_added;
        DROP TRIGGER search_memory_changed;
        DROP TRIGGER search_memory_removed;
        DROP TRIGGER search_approval_added;
        DROP TRIGGER search_approval_changed;
        DROP TRIGGER search_approval_removed;
        DROP TABLE search_words;
        DROP TABLE search_documents;
    """,
    "postgres": """
        DROP TRIGGER search_task_kept ON tasks;
        DROP FUNCTION search_task_kept();
        DROP TRIGGER search_comment_kept ON task_comments;
        DROP FUNCTION search_comment_kept();
        DROP TRIGGER search_memory_kept ON board_memory;
        DROP FUNCTION search_memory_kept();
        DROP TRIGGER search_approval_kept ON approvals;
        DROP FUNCTION search_approval_kept();
        DROP TABLE search_documents;
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
