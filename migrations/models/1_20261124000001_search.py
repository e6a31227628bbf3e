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


MODELS_STATE = (
    "eJztXW1z2za2/isYfWk7o3hiO7HzcufO2Inb9W4adxK33b3bHRoiYQkrilQI0oq2m/9+AZCU+AJSBEVRFHXamdgmcS"
    "DqOSCA85wX/DmYuRax2cmVabqB4988EccfvEF/Dhw8I/wX5f0hGuD5fH1XXPDxyJYCOGxpENFU3sIj5nvYFP0+YpsR"
    "fskizPTo3KeuI2TuHIJ4a2+J3EfkTwiKOkG2O36DGB07z6jDhmiOGVu4nsV/9d0pcdgJ+hjMRsQjFsKOhcwJpg7/3a"
    "ZT3qF8gBPxBJZr8kegzriNDwsc+iUghu+OCe/d4x/5z3/xy9SxyFfCxJ9/Dh4psS35+yBgxDOoJSQZ+TIQTcnXuUcY"
    "4+CwWDpShxPYtgB7OZdYD2RjDq7845toOJ8asvOUEsPu5XUjlv3119v3P8qWAqCRYbp2MHPWredLf+I6q+ZBQK0TIS"
    "PujYlDPOwTK6FS8WjRGIgvhUjwC74XkBUE1vqCRR5xYIuBMfifx8AxxXhAMyq/On8griTXPjFdj5xQi504ZMGB+t/o"
    "eROyhvHx7t74fHNvGIPc4IogSw6B6BL/ADEwqRimHK1vYb9rlOTVgfiAd3+5+vT9+cUPEheX+WNP3pQYDr5JQexjY6"
    "3VNfRCpznsr+n41vHV6EcCGfhp+No1D3wMzw4A5U/Lfzx7fXZ2fn559vz84tXLF5eXL189f8XbyufN37os0cL17U+3"
    "H+/FA7l8OglnG3FBKGAN+JR/2Tzi7ybYU+Mdt88Azr9IHcDjC2vE11NeG5DP8FfDJs7Yn/A/L16UoPnb1Sc5rC9e/J"
    "CG9GN050zeSoObmKyqziYJkS2mlGjcdgXnbeaKNZp8TXR14UzKAJ5pPMUknMfynq+Qaizj9u29+oM/v+1h+bq/+buc"
    "NmeMfbGTr/j3P1/9XQI7W0Z3Ptx9/ClunpgS3n24u86AzbcoT8YEs4nOZJsSghm3woyrizCAqwGu6REBhoF9xRTsm+"
    "/5TZ/OiBrptHAGbysSPYl/2dmMsmHjbNquOT1x3MU+9s33tz/ffL6/+vmX1Ozz/ur+Rtw5S8088dXvLzIKXHWCfr+9"
    "/wsSf6L/u/t4MxAfjAPfNfi3M7CVxCe+HF+SptHjNLFDFxdG2JwusGcZuTvumVvUNn9rdjbLXsEOHkuFCcjEc0Zm9C"
    "1HDjsm+Ux8P8Q0Z2lnmwzLjG0aNTZY2FrD3n7CdkBiE3gxcW2CZG98OIpmQ8QCc4Iwk/d598EcmfwBvmPokX8Q8eZ8"
    "UPhq67q5rjfb0oU2r/ypMXHG7ZuZOPdreO1k2iy2caW+dTZeK4FerFJt7Lw6Mn/9EnFinwh/bVWzV7pB6dwV82uGJ9"
    "pWnLmukOuQZ2JBRTZ1pmhB/QmfYqiYT9CceIyvg6I3/pdDFisOLz9PbdPRFrMSMHF7Y+ISa4vOupARg+Vh466afJ1T"
    "rpZ6u+q08L521XtaLTqzXc5wfjUtpIRkA4o8HMqqm3oEY/cYtb43xv6A5t0Nm4rc3juNbh7aH/lYpGPnb2QpAY4teg"
    "Wg0a7516ibw4R0fXU9S3t4sdr9JgcU/+78GxM/3HRdfX539f4mdFy3b8x8Dn3sA4UZE98qNWBY7KOvaLmI0AJiPaMO"
    "GnnugmPyVhIgputOKf+BPY8SYW8wwmdbXxAnjCQZESSGkcUQNzmIyqBpvH+wc8DOATun3BnOpxYVzsXcV1qqFswHtB"
    "PehecR7Mte7VBtzHyDEeLUU2hWHGyTg9E8WKTHqHWwSMEiBYtUaZHeizjzgcIeDW8My6zRMEa9qi06ItgjXmwKuo/C"
    "Gxa7vb5/mJmB8fADcj15WW5W5VXMr77l1+wlon7KW48oQ1MyVwQE7PizwEY9RBtVHZxRbDQ1G5xRaWHfx3q9ozjNR/"
    "pVhwlYS/QiPCNNA5xeVKABTrOboDUNIG6lAQa+pSW+hZmu6COH8V8/330syKVZSWTtA2r66L/IpqxKWs3h8C0CivIZ"
    "JDtZZOZu0UG3+ZbDUUY3zS+PPPGdYk2jOy0M2ty7NiX7VT9CIysOGt27RoEUO0atS7tXNxUwIQOpgJCo2lOOsZuIbk"
    "8x5l7/BiC9ivvpJ6bJGa9LvK0cyQraNh7hxaytGCWVSduQM1VRrIk7QIgeIiHK9xXe1ChctYpppJxg74iks5cvKzBJ"
    "vFUhlSTvZTiNGaa2Ds4rgT5E7KQBPj97XgFg3qoQYHlPAbDxRDzKO1WM6GvXtQl2SsBOCWdQH3HpXVkvqyvtTh7Xd3"
    "cfUibJ9W2W3f/15+ubT9+fSjXwRjRc+/IlcFr1rnRsaO/DvUI8j9vcuqjnJQH/Ovi7jhs4CrdAGfJrGcBcH3PBHf3H"
    "dbRGe1IGMNfH3HF9le+rZFKPBQBtfbSFUcGR1cE7IQKI6yNOmcGCuQiNt2bU0dwv5oVhv6ixX1xVYlAXmypZSLOCMP"
    "JrzDXg8DlCh08wt+prPS0MWj8YrWMO1xMxXG+MHfofWQ1Lv/5nQQ/gtCp1WimAa8Dhcpfp7iCB3ux3KRx0KS8Mfxz0"
    "8dcPH/blhrl2eRdXpklYOGAy3pjk7WGZUyb1PUdCysBrsY2Omt8n2EcYzYgoFi8LS7kBv+AgbNvPZHcMPdp4jGZ4iS"
    "wX8flThL7LO3nnzta9KRxC/0x/xbBv0VZKDf4FDqNOzGbDMocRdgy+99Nl1pNiLdpIsV4O1kQSuC08cVsf75UcGKU6"
    "iINZdIQbZDCLjlHr4R5LbzeRlIGk4MzkqdjeacJb3AOAXW5oFmyttzQ0f151dJgYb7Qxiwfc5vDJ0GzZHuTruJ+eYp"
    "ycM7sUP3nrPIX7QEU1/Kdo81zRXKdSoGpIpYNkeyn6VuaZyzR6kWHOfFee9CYqpiWTz8XRb2ziLoSZbarqsDXTJ4Rx"
    "HqJVHo4+y9AOL8wJ7ir1en9xnDsJM4Tk65aSr/m7qXWcRty+xYoN673WIZYRwLYdcs2sDq+nkAa2SYNtSuBXh+ZTiQ"
    "P+OvibJpnXJn4y0pDFvHdGp1s1Izpqrx2OOoGMP0atAxl/jFpfLaajZXFCYlmAklIcopPU7s16IKulAeMSL8gW7g/w"
    "e+j6PRrg4jUj6zoKsZ7bo6q/I/P6N4B2v2txqKfLgtjFsrUQkN4YKapc/TsVJhr6lDYEi+YbDTV9ULUjRyMHErHWQZ"
    "+2jUYEiQ9Dvls1ZrRWP5ujRenKJQfRol1amoclfimIFoVo0V7zx0BQHSNVAQTVMWodokV3ypOEm9dt6JJkDwC2RrTo"
    "emu9pZG5Dps7TIw1aZPkgINo0b5Hi0ah0AqjfR0kXdFSDw1jzQKc3zE0t7FJuHktjOxkh2+Qu+BjYYhkIRJxqFH4Cc"
    "U1O+t2ttFOl40E1wT2eTcWgWGJfQ7RdRBd12PrHKLrgB0BOxnYEdD67rUOQQ875Urg9GKIIWkZ4t3EkMBB0VWg7ehB"
    "0amBrSBCsgO/Gh1SkQe5eSIeHwscXuSLQIMRsV1nLNJcQy7iTRhOwIbhac78Z0SzDGWiq4g3IE/imGfbHeeJkcZ7h0"
    "zaQ2REun9C9J7yQ3ZUfNkiM1fTLE9IgTWuYY3ziclg5IsCbTq+dQrGd0IoAzatdOJXLayf7whn/rD8x7PXZ2fn55dn"
    "z88vXr18cXn58tXzV7ytfNz8rcsy5dz+JGBOqUONu7rCdTHRmpRpkWx9vuV/7dC0zWeZA1F1jJQFEFXHovWc6b8f8y"
    "n03BeVCC43mELro5qldBXaKrJqr6wE5AU2YSpncGG7zdbLn4P1t4589mPPDebCbBVNydc533Yzad9F0tG3jgZS/LIM"
    "ZGP+leQf8g1N9KwgGRIT7jYfBOYXmF9HbX4xOxjrgB23B7BrgJ18TA3MM2It2gL72DDsAvgxB2aBl5rOk7TUTjOc2y"
    "zX1YwzKlztJRo5SItt2rRUiyN57GL7UC1Td/RvIk/B0Jk0UkJwNlaNlTGQ2ZPGjPDnMhXnH/71893HgkUyL5o1Dqnp"
    "o/8im7IqBNrhaEJgUq6JLOiZmUZ0kDvzE3vcAjGEHV3DSM9IQ4GuvXMuYi4Wtsoj9WZENx4yLwwOAA0HgISPuYFnaq"
    "0mGTFYT/TXE498CahHDDyfe+4Th/PR9QxLeZRx6QtQ2g9kSld/FWIgPfJEycIYEQ4k2UYj6o5getKJFnZnM+L4RgSp"
    "JQd3iKumUjb0BFrR0MpIeBAM5mM/YIY5wc6YMEMQxsacOBZ/vtVkpKkkvY5BZxo6cx17yY1SbBmiskOIbYS0ppI29A"
    "Ra0dCKYArC2LG8EgrjL9JC7YVgnO4I6igE4+z0xeWLV+cXL1aRF6srZQEXeVB9zKYcrkBVh78Q1LRQb+JaGgM1jDet"
    "6RhPC4PJvXeTG4JbjlHrENxyjFrPxGHkNb+hUk1SEsr6QlnfHcMLKVldSMlKvPoNIC1j2X6KOzvIiaJiiZrkZNmpSr"
    "NXMXGiCDW8SpAqxdGGMfVSMeDwziFIkG2E+ejR9RBGFjGpWLFP0EP86wPyiW2LMwg9Iv3TfF1/9NwZWrjeFDGROyW+"
    "vuwg4oPyIYs7/aRaQY+NxiRmgh/XTAvEPPY25hHLL1UQTlPslsuIQVBeDb/cHC9tV1WWpzi+IyECcR314zqkF98ijs"
    "oV/SMHuGDQp8UyCngUcv0a9e/vfr3+cIN++XTz7vbzbaSHlVkpb6Zp5083Vx+yvs5g5FHTYGKW1AplygnCgK8/4Ivc"
    "L8XxkoVull3GSka+t12toLuutxbvAHVwTsr0Ibgle/xxBYzPz0oOP85i7LiqWLySHA1XGX13kNi2HzjEXPspPNdkyr"
    "+zzrhWyfZBB7ueQ1a41aLOM9Lg/9o7Jw7+r2PUOvi/jlHrMlRG9+TQhAz4vFSZXnDmRWOARtx17RNYi+Rh4BZvnGvB"
    "rBQHlEt9tnDChY77sKp7Vq5PDaB6FfdzkCN18xGgiWW8whGruYm0AYT7fcZq0dJTCez0dApYb8Rauf50MsrgHrPpoC"
    "TSQN4fVok2MGRgtk2daeVCR0IiLNiKHRT3gyhDeOQG/gl6oCzOJ3lAHplza57x9mTV9juGBNFOomiCcKAgOTxUBZN2"
    "/nnKA3aSmTDiCXKH66SiBiSKW1ZhgkCB7gUKrIdWXgWbKqYmBCFPFE4wARaplEWK1yNNIiktBtyHKldLD9KECMBZbn"
    "wXp+HqW4qJrg4T2s3WYvpd3WyF+9Eudkto481wT2FNvK9dOrcipD5UNkrMiZQYJ6vs2yr2iMiVFkdmikhj4iH3ke/x"
    "Jd1zgn6nfEAE3HBAUXE5RH1pOSCLesT0w4Ml3nDDYon44Bx7eBZWZsXId6fEUZkju/44zYjo3RVrzQRG7z702sbMNx"
    "ghDoRc98+SgpqQjW/uoHJvm/UJDySYlG+xZGhlaxGlzRfgpCw8A1ZWQdHnXdKyUC9Fg3uZEOz5I762hyX/FKRXcei6"
    "Shai1+tHr4ucC5/6S4O/0o9UdWh4sS5UsqCLBnThk9ncVhZGLV52lcJ9iApufQl2A7uWBnKCgL4++u6cOKaNF9xCC+"
    "0S1U6+pEC2Whw0oa+JlJ2cU8FGH0lWHOLl9+79AJ/XMWod4uWPUet7jO8+nGkaakR11OUJNaLarRHVAMZVQ7u7OTs0"
    "ENm9Jweo72NzMivygq7vDstcodK7i1eNKztFBeuD+KqMZfjkUDgs+V+uQ4TDUpw7GRVsZ2/lX6OlTxjCngiLRA/rh3"
    "vHF3P+40HlCN3FR2g6PxO+b6jW1FvXIfi5WiQXzPB1XBW5qurtysr1Avy0p+vs5csKri7eqtDXJe9lSE36HwXOhXXU"
    "4+btVVDfJbwNF1FnE3z28kJn1K4lejhem/fMAk91jIwFZPg3y1jEZyXpIZqWAkwh0H2HcNbI34ec/aocGsS1NxLXrp"
    "hSG0D13bqngxyqG3FNryMVMsmhGMIuiiFATn4FTDubh59lLwelFG/caKjB9BoRoVKR8b2fkIhhFQkpDlp3NER4jj0f"
    "MTdMohcRfww55Il4yBO5LP6EzPL8bhMdbmZzC+nWBBCahkdWsF0StpN7kWEJuWqux2YmzJo62FuWkn0KeOWQOdxdiT"
    "K+OgoSXdnjv119ur79ePXpH2qe9VoRVHr9j/ubK9WuUGf+Ur0deb3dOeTe5f9UXZVTXR3iC7F5Zc5OCRXchFstD+8m"
    "xJyKafHWJzPV0pBusHlZMOP2BuUClZ2AbIZtGzGfzMM0RdGXypNX2K6+O44PfiofBJxx/XLG+Vw/Os64uH0v+PW2nX"
    "GUrc6118uBiqUg+0kj+2k1Z+XgLjkeJSkEh6NUORwFnEjH6ESCYOdj1Dq4ZcCRsG/zr6MFcmJHg8o8XPsgNhmGUYhl"
    "NYvwszvjdhzHFDFMrbB+ZmTuodFSsnyCxEayTOaceMx1wthN3piGNTX5b1F0J3niTfPW5I4+AwJDwRbN02ABh9EzdO"
    "NDM2KQgqpvmM74K8TfYx3UEyLABdSAnFi09v45JQv5vnvfFoebkJrKTAuDNveuTSA0jlHrEBULEZwdhhMiOIF42S2k"
    "zUZwQpQhRBlClGGKISw65Wfz6T7izascJWLyBw3zuKMy1lcoMjFkMveUkDmTbJznLsJy1Q9rE+QBMaJgARvrVXk2z6"
    "oyghPMRvxi6dE8u69bnfyERNHXJiJgMp+EeRdjR3yBxDQQfSSQm/0iN6OxnYO/MDV4LQDJwYroDp/6qiKqJZFLsQDQ"
    "lTXoyuRjaoCeEQNuvreVyqkzcr/uakpOJ8KfXlRIhD/NMkbrRHhxKxMq5lHXo/5SB+WkTIs4z4hFg1k7QDdfcQBi8l"
    "qJybP4HrueM2IlCI6IvVPS1DHksULcBKinzXwHoNW9a5WbdE/UDZixtXpLegI9713PQjncUK3jV1KIAoOfXuEk9BH/"
    "k4e2NJ8iKwpJFRpJFRI8jh3TswMzYmAH1rHAIcikP6sD9swJfaqrzow06HPv+oSgoWPUOmRBHaPWlW67yjFjKmHY3X"
    "9TI1wj7EklC/im8d3joSUHxMTq1ACNVvDRss6QVUvDoC0N2mv7PI2ODtwGDtQoGcgN4NvvYDP1q1ulDGNqH9AAzn2P"
    "lFTtm3RwhuGsg3KXgyjfkznhMDrmclAQTploMdyYdG3FjSmpGmTpIGKNyRv0IDp4QAssIh8fXU8EPYrOmCEGjrznu2"
    "hEkCjgowirrN+PMpAyjmPPCOcCKiE+sHvxgUAgHSOVAIZYw4ZYZurThFYtDSBDbh8Ytp3bq+oZtpDj13iOX3abCehu"
    "QFe9vHSpipWcM37y3GA+UJhWibvDMrMqfDPHomFFi0r2zMIC9OJM0bmNHW6Goti+QdixEJuIWxjNyMz1lm/Rg/wc9i"
    "AlRKUpmz6JI0wJG/J/TXltiRaE37VdbBErb4G1+LmaJa8UZwxD6aveWn9wJmqbGTV2MNYBO24PYEPi2AEhD4zSMTJK"
    "EJJ0jFpX7Bar7uMUosDQlDM0ScgasHrvMt0dJsQbrV/FQOuc6fuzNPEGRbZvdHu42fidrVtq1HFeeNT3iYMsd+FIP6"
    "A4hW05cq1lovbKG/6LKQzWqARrWHvZcX2Fh7HZrjVN2CRBR5khOm7QjC2p2gKGcm8N5cLz7YpNieLT7cCCq2JH+His"
    "KD/x1893H4tcPWNV8QmLmj76rzxesle2mwCiHPMsvJlRLzpQnBQVT5camY0JKUhq1EhqZG7gmVr821oCmAmofX7Mli"
    "ewTMeo9ejMjVoJUHlRyHTIJdkLiOokP+UkAVtIfYLope6xYXrRS4n3ugFse57DkJsDq6SJJFalBhDuezJOfg3vVJaI"
    "jFEq5nKTt4cVA5kaZXRDtjU8nV32rs/cqruoxdCG369Vnjb5kcDWAlsLbO0A2Fpga4GtBba2czMKsLW1VNFJ3g7Y2m"
    "PUOrC1wNYeJrZ5a1GPs01KAnNbgbkNEWuKv13lih0mvhVJ3OQgAyoXqNxDhLizVO49Hg+UVX7G5dRtzGtUOTJx4XpW"
    "eGghRnwF4dZimBEqz12UFKuDktHL4jREb6k6JnGLnpQVfbKR5jIVDcr5dGMtHZYwn5DQufeEzpID0vqU0Jk+suvs5c"
    "sS9GOseavCQ7vkvUwmIZ/JFJuVYoBXAi0ejPaaiP93NUtkDkargHHx+XO54+cgRxZyZIEPgxxZ0DrkyHZr0oUcWciR"
    "TRvjV7JC8IzIr6AyyxMNhhsMdAOv2la21blYmLAqTGqVCZ5vUForlzfPGdSpgCXxnFwTEJrULwMddn7HuAeIXmaNl2"
    "4tASs+lIFtcQMFJTWrbJi0Cpb6WEET1kB03GtAxx3ceL4LmO/OfsxtoBS3N2w6+XAxZevodeVAU4f6ck9XcQsqBaOa"
    "oRl3Dl+KmDiqQVQFXfl8mDsjYbg+U21Yt+2ukuMo/LJTsgTvUUem/rLN6VpbOQ0Uk+4pIXBtVHNt8K9ObB3SfSXQC4"
    "Tb5tsTKGuP7FiqRZ+Sz4dBOx6l0youpdNin9JpzqkUUOOJMjqiNvW15pGcYIuAY3uBl+xQIX/CNrVC7s4jY/JVZ15R"
    "yYJHD+oNHw7yHvkSUI8odo2laVBJMciD0siDih7b4DNHoFhOi1P+coKQ+1c/9w945GPkkSGC4Bi1DhEEEEHQdf624x"
    "EECaY2rPBUzuauqkBtqtGSI3Yrs7lhHZXFxGUxxzrBT+K4J9mNirCtIKHkZNOlsYCI7cgUNIQoAVjnFVmnUCOwsUiB"
    "UFwP0KQMAApFF9svuvgYj8stUc14p3uKbfJ97eiO8zdJeJXvOH+LSTGdIALJpGmEsLLpdwxJobCAn+zlrThiVKzQzh"
    "h57gLNCHaYdP1HOlVHu27RV2lgLGxSuzT5l21StQlgIH6B+AXTAIhf0HpFrYP9AqHjXYMTQsfbDB0HW1AH2q7agr+T"
    "0cR1pwOFCRjfGm72NSzCplXtPRnGLfIGEfbRYkLNCcKOKwwuxJbMJzPkE9tm8RmcMr5bVn5/Kw02Rvhm0UeUIeKY3n"
    "LOB4vCENzRh2xx4ieUde+twbnHGLuOzoitBdkRRwChG2OXkGoxxC5+IQ42wi6cFXWG+FoCIkhr1PHiWynsBx4xJgRb"
    "qvqYJTW9FLJ90EEb5b2AyTpCTgOYrGPUeq0a8FD8HY6ThMiGTjMumsdJQm3sKqB2tih2RFb9gpe2i5UxtJkWw8qslj"
    "EPRSqyW3cOQSa27ah+AYp6QR4xCX1SUVWVJLbgneLvEf4V9wo0VP9oqPl6cFeNfEiIQOxD/diH0MTWOmcwIQLI10c+"
    "PMrOoIojWjadfxcJ9YEUaZuYig4lLShcsfEw0+1KVxw59skVPL/SbiIqMtLAVBwMUwGWdcNURXpjXBXStBSACnRF+3"
    "TFYh2bsSWuiSiPniKbfl+7FHzzeUpte6DgKsIbwzKKYoa9KfHnNubbWCaaVw++4fsvbylSI0ScSzI7+juGTG5a2u44"
    "IMqImuqS1c7uCnfhgWdDVkVHZvJhCbsAJ3hB1a4jQJ5PZGTseooKgSVmbUIGMK9h0lJVfHYx3nF7wLpGTJFcdfXZMs"
    "B7G7zlLieHeUn0VkqqF0toJnDr+fPnVSK3eLPi0C15Mw33jPhYbGF0qPikzFZc/LZU2Cigtk8ddiI+dh/bQ0gMBboS"
    "wulA61ARsDs2eQm7ChUBe1gRULJ/v/CuBkXUoLw5LKMHJSVozHm7ykVYPMLHHvW5FRsGIoWsIsIe4bewhR49d6YquF"
    "JZDjhB4ASBEwRO8ACRBxu+VRt+5PF9ykQH6rVEi2ezzDgsu5quW8hyA6YEmBKwmTtgMwNTcoxaB6YEmBJgSrZiSm6e"
    "iHz0HEsS3hiWMSRENKl+wi2/j6gjA5/mmPnIJ45o6QSzEfGIhRaUD5NApG9NXJu3IV7m4FrHQuaEQ83bjpZogtlEef"
    "TtLj7nD+cP59YKKZm5ze+F1XHZqrPHcPijKVmyIWJuSOSIZ7DdMeItbPokmour1I8LJ434jRP0ILaDD6JQEm//h2Ni"
    "x3WoiW0k9jdInBcZ9rbATD4NsU7QlXhuJsPGhOKEsO26U/7IwZx/V64aDzHfFd93wr91NfYoGp+MfMkxR4WpcbLxsH"
    "4SnJjPE10nCqg13HMy8bLhrhUYQqWq3hJ2sOvYaUqBeDdzkF7T8a1TWB/piwJIWimJvGsQ8uflP569Pjs7P788e35+"
    "8erli8vLl6+ev+Jt5RPnb12W4H59+5MoQZXahudrUk35t9WhiuL2PeTjXlc5wPd18QG+r3MH+PLtiOsZuhCnpXoIdP"
    "MnJYeQaZahSchAGRoVnrruqbQUeEpqeEoCj9swWofZJ0RgqqgwVewxD/RwBvchlF7vJZpQT61hiyIY/ZuYuoimpQDT"
    "rOeTMT7mdHYGCRHYFtQIXVH6mUtiVtQ+5l168//8tg/X1G4KhPCvzdRTRvE2LC3Vh0GeC1apFqtSFqqS3YvNPfJkCF"
    "pbB+mUUA+3vBcvKgB98aIQZ3ErU15LE2EAVwNcCDo5lvCDnH98P27bv5G5f+WwhfTi5Xy3ibvDMgfulLczsGxY0Y17"
    "PyEoFEC+KwptetQnoXfSFG5I4Q7lDdDDrUVmc9cnjrl89jeyfBgi8WHCTcqlLLzMe26b7Vrp60yyfVOyLHdyggevtx"
    "68PTLFXVsZm7EGxcuksbeImvdwa7GTKOPYrNDdwmXleoh381s55mM/UFShLXY/rwRqeaC7ZvCFDuiz0xeXL16dX7xY"
    "+Z1XV8rczXnXMl5tQyo7kFYSfTCgWy+9A5YIWCJtWiLviYhs9JYDhR2yuldqhVhhK0oqh5JGTDLiI4T6DC3w8g16WG"
    "Dqc6Vyc+CBEccSv6KADzNhFdgEi57EDZ834JbCwyOmNrEepNkwdl3V+Ze7+xzNowjEEiNftzgexOLCW9olZdGR8ceB"
    "CdRbEwhCvna4h4TwAggv6C6aRedgFm/Jtzz9smuvf9t7cpHBoQN33B7AbsxNXpyODanYMT7lqqhzrky8j6wcxhgLtB"
    "izEG3nd4X5zoOefZ/M5r4OYZUUaS9p4vmuAG6YsIpMq/xWYxN5shYE4qTTxElS29Jgt4yRlvsiJdQHknLX9lAEWOD4"
    "VFH9Z+OblRVv4P3qmAIO773BzDeI57ladkRaqg9vTuu5IYKlq7U8JSTh/dn7+wNummPUOiR2NMtkdSYTvzfo5pyKXS"
    "n/002Em6v+k5smGoD4Ku6nn9gmZ8YulVS6Ih41JwOFPzy6MyzzhuN1m02e8GJEN/uXtXyyhVSScuJUkEiR+rbzxXY+"
    "6qnY2/pEPKacNotJhoRIL/wALcRJipdKA+GoeQ/RPa2Up3Vakqd1ms/Tis4d1/GtJETad6/sZ3/VmCNlr+Fd3/4fFk"
    "2mZw=="
)
