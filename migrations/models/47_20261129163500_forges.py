"""What GitHub, GitLab and Forgejo tell by webhooks of the work that is handed in."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        ALTER TABLE "boards" ADD "done_when_merged" INT NOT NULL DEFAULT 0;
        ALTER TABLE "board_webhooks" ADD "forge" VARCHAR(16);
        ALTER TABLE "board_webhooks" ADD "repository" TEXT;
        CREATE TABLE "forge_states" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "board_id" CHAR(36) NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "repository" VARCHAR(500) NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "name" VARCHAR(255) NOT NULL,
            "branch" VARCHAR(255),
            "facts" JSON NOT NULL,
            "reported_at" TIMESTAMP NOT NULL,
            CONSTRAINT "uid_forge_state_board_i_4711fa" UNIQUE ("board_id", "repository", "kind", "name")
        );
    """,
    "postgres": """
        ALTER TABLE "boards" ADD "done_when_merged" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "board_webhooks" ADD "forge" VARCHAR(16);
        ALTER TABLE "board_webhooks" ADD "repository" TEXT;
        CREATE TABLE "forge_states" (
            "id" UUID NOT NULL PRIMARY KEY,
            "board_id" UUID NOT NULL REFERENCES "boards" ("id") ON DELETE CASCADE,
            "repository" VARCHAR(500) NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "name" VARCHAR(255) NOT NULL,
            "branch" VARCHAR(255),
            "facts" JSONB NOT NULL,
            "reported_at" TIMESTAMP NOT NULL,
            CONSTRAINT "uid_forge_state_board_i_4711fa" UNIQUE ("board_id", "repository", "kind", "name")
        );
    """,
}

DOWN = {
    dialect: """
        DROP TABLE "forge_states";
        ALTER TABLE "board_webhooks" DROP COLUMN "repository";
        ALTER TABLE "board_webhooks" DROP COLUMN "forge";
        ALTER TABLE "boards" DROP COLUMN "done_when_merged";
    """
    for dialect in ("sqlite", "postgres")
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
