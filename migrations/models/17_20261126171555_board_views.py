from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "board_views" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "name" TEXT NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "query" TEXT NOT NULL,
            "sort" TEXT NOT NULL,
            "columns" JSON NOT NULL,
            "is_shared" INT NOT NULL,
            "is_default" INT NOT NULL,
            "position" REAL NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL
        ) /* A query of a board and how its tasks are shown, under a name: of one person, or shared with the board. */;
        CREATE INDEX IF NOT EXISTS "idx_board_views_board_i_861100" ON "board_views" ("board_id", "position");
        CREATE INDEX IF NOT EXISTS "idx_board_views_user_id_a7472b" ON "board_views" ("user_id");
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "board_views" (
            "id" UUID NOT NULL PRIMARY KEY,
            "name" TEXT NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "query" TEXT NOT NULL,
            "sort" TEXT NOT NULL,
            "columns" JSONB NOT NULL,
            "is_shared" BOOL NOT NULL,
            "is_default" BOOL NOT NULL,
            "position" DOUBLE PRECISION NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "user_id" UUID REFERENCES "users" ("id") ON DELETE SET NULL
        );
        CREATE INDEX IF NOT EXISTS "idx_board_views_board_i_861100" ON "board_views" ("board_id", "position");
        CREATE INDEX IF NOT EXISTS "idx_board_views_user_id_a7472b" ON "board_views" ("user_id");
        COMMENT ON TABLE "board_views" IS 'A query of a board and how its tasks are shown, under a name: of one person, or shared with the board.';
    """,
}

DOWN = {
    "sqlite": """
        DROP TABLE IF EXISTS "board_views";
    """,
    "postgres": """
        DROP TABLE IF EXISTS "board_views";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]
