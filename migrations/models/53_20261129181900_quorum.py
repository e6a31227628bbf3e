"""Several people who approve one thing, who else is asked after a time, and who stands in for somebody."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS "approval_votes" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "substance" TEXT NOT NULL,
            "note" TEXT,
            "always" INT NOT NULL,
            "is_current" INT NOT NULL,
            "approval_id" CHAR(36) NOT NULL REFERENCES "approvals" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_approval_vo_approva_e57168" UNIQUE ("approval_id", "user_id")
        ) /* The approval of one of several people who have to approve; its moment is `created_at`. */;
        CREATE TABLE IF NOT EXISTS "asked_people" (
            "id" CHAR(36) NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" CHAR(36) NOT NULL,
            "why" VARCHAR(16) NOT NULL,
            "minutes" INT,
            "away_until" TIMESTAMP,
            "instead_of_id" CHAR(36) REFERENCES "users" ("id") ON DELETE CASCADE,
            "user_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_asked_peopl_kind_642e81" UNIQUE ("kind", "subject_id", "user_id")
        ) /* A person who was asked by name for an approval or a question, by its kind and id, and why. */;
        CREATE INDEX IF NOT EXISTS "idx_asked_peopl_user_id_e00b16" ON "asked_people" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_asked_peopl_instead_3d257f" ON "asked_people" ("instead_of_id");
        CREATE INDEX IF NOT EXISTS "idx_approval_vo_user_id_91b2ef" ON "approval_votes" ("user_id");
        ALTER TABLE "boards" ADD "escalation" JSON;
        ALTER TABLE "boards" ADD "approvals_needed" INT NOT NULL DEFAULT 1;
        ALTER TABLE "boards" ADD "programs_need_quorum" INT NOT NULL DEFAULT 0;
        ALTER TABLE "users" ADD "stand_in_id" CHAR(36) REFERENCES "users" ("id") ON DELETE SET NULL;
        ALTER TABLE "users" ADD "away_until" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_users_stand_i_04c590" ON "users" ("stand_in_id");
        ALTER TABLE "approvals" ADD "escalated" INT NOT NULL DEFAULT 0;
        ALTER TABLE "approvals" ADD "escalated_at" TIMESTAMP;
        INSERT INTO "asked_people" ("id", "created_at", "kind", "subject_id", "user_id", "why")
            SELECT x."id", COALESCE(x."reminded_at", x."created_at"), 'approval', x."id", u."id", 'unanswered'
            FROM "approvals" x JOIN "users" u ON u."id" = x."asked_user_id";
        ALTER TABLE "approvals" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" ADD "escalated" INT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_questions" ADD "escalated_at" TIMESTAMP;
        INSERT INTO "asked_people" ("id", "created_at", "kind", "subject_id", "user_id", "why")
            SELECT x."id", COALESCE(x."reminded_at", x."created_at"), 'question', x."id", u."id", 'unanswered'
            FROM "agent_questions" x JOIN "users" u ON u."id" = x."asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "asked_user_id";
    """,
    "postgres": """
        CREATE TABLE IF NOT EXISTS "approval_votes" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "substance" TEXT NOT NULL,
            "note" TEXT,
            "always" BOOL NOT NULL,
            "is_current" BOOL NOT NULL,
            "approval_id" UUID NOT NULL REFERENCES "approvals" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_approval_vo_approva_e57168" UNIQUE ("approval_id", "user_id")
        );
        COMMENT ON TABLE "approval_votes" IS 'The approval of one of several people who have to approve; its moment is `created_at`.';
        CREATE TABLE IF NOT EXISTS "asked_people" (
            "id" UUID NOT NULL PRIMARY KEY,
            "created_at" TIMESTAMP NOT NULL,
            "kind" VARCHAR(16) NOT NULL,
            "subject_id" UUID NOT NULL,
            "why" VARCHAR(16) NOT NULL,
            "minutes" INT,
            "away_until" TIMESTAMP,
            "instead_of_id" UUID REFERENCES "users" ("id") ON DELETE CASCADE,
            "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
            CONSTRAINT "uid_asked_peopl_kind_642e81" UNIQUE ("kind", "subject_id", "user_id")
        );
        CREATE INDEX IF NOT EXISTS "idx_asked_peopl_user_id_e00b16" ON "asked_people" ("user_id");
        CREATE INDEX IF NOT EXISTS "idx_asked_peopl_instead_3d257f" ON "asked_people" ("instead_of_id");
        CREATE INDEX IF NOT EXISTS "idx_approval_vo_user_id_91b2ef" ON "approval_votes" ("user_id");
        COMMENT ON TABLE "asked_people" IS 'A person who was asked by name for an approval or a question, by its kind and id, and why.';
        ALTER TABLE "boards" ADD "escalation" JSONB;
        ALTER TABLE "boards" ADD "approvals_needed" INT NOT NULL DEFAULT 1;
        ALTER TABLE "boards" ADD "programs_need_quorum" BOOL NOT NULL DEFAULT False;
        ALTER TABLE "users" ADD "stand_in_id" UUID;
        ALTER TABLE "users" ADD "away_until" TIMESTAMP;
        CREATE INDEX IF NOT EXISTS "idx_users_stand_i_04c590" ON "users" ("stand_in_id");
        ALTER TABLE "approvals" ADD "escalated" INT NOT NULL DEFAULT 0;
        ALTER TABLE "approvals" ADD "escalated_at" TIMESTAMP;
        INSERT INTO "asked_people" ("id", "created_at", "kind", "subject_id", "user_id", "why")
            SELECT x."id", COALESCE(x."reminded_at", x."created_at"), 'approval', x."id", u."id", 'unanswered'
            FROM "approvals" x JOIN "users" u ON u."id" = x."asked_user_id";
        ALTER TABLE "approvals" DROP COLUMN "asked_user_id";
        ALTER TABLE "agent_questions" ADD "escalated" INT NOT NULL DEFAULT 0;
        ALTER TABLE "agent_questions" ADD "escalated_at" TIMESTAMP;
        INSERT INTO "asked_people" ("id", "created_at", "kind", "subject_id", "user_id", "why")
            SELECT x."id", COALESCE(x."reminded_at", x."created_at"), 'question', x."id", u."id", 'unanswered'
            FROM "agent_questions" x JOIN "users" u ON u."id" = x."asked_user_id";
        ALTER TABLE "agent_questions" DROP COLUMN "asked_user_id";
        ALTER TABLE "users" ADD CONSTRAINT "fk_users_users_stand_in" FOREIGN KEY ("stand_in_id") REFERENCES "users" ("id") ON DELETE SET NULL;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "boards" DROP COLUMN "escalation";
        ALTER TABLE "boards" DROP COLUMN "approvals_needed";
        ALTER TABLE "boards" DROP COLUMN "programs_need_quorum";
        DROP INDEX IF EXISTS "idx_users_stand_i_04c590";
        ALTER TABLE "users" DROP COLUMN "stand_in_id";
        ALTER TABLE "users" DROP COLUMN "away_until";
        ALTER TABLE "approvals" ADD "asked_user_id" CHAR(36);
        UPDATE "approvals" SET "asked_user_id" = (SELECT p."user_id" FROM "asked_people" p
            WHERE p."kind" = 'approval' AND p."subject_id" = "approvals"."id" ORDER BY p."created_at", p."id" LIMIT 1);
        ALTER TABLE "approvals" DROP COLUMN "escalated";
        ALTER TABLE "approvals" DROP COLUMN "escalated_at";
        ALTER TABLE "agent_questions" ADD "asked_user_id" CHAR(36);
        UPDATE "agent_questions" SET "asked_user_id" = (SELECT p."user_id" FROM "asked_people" p
            WHERE p."kind" = 'question' AND p."subject_id" = "agent_questions"."id" ORDER BY p."created_at", p."id" LIMIT 1);
        ALTER TABLE "agent_questions" DROP COLUMN "escalated";
        ALTER TABLE "agent_questions" DROP COLUMN "escalated_at";
        DROP TABLE IF EXISTS "asked_people";
        DROP TABLE IF EXISTS "approval_votes";
    """,
    "postgres": """
        ALTER TABLE "users" DROP CONSTRAINT IF EXISTS "fk_users_users_stand_in";
        ALTER TABLE "boards" DROP COLUMN "escalation";
        ALTER TABLE "boards" DROP COLUMN "approvals_needed";
        ALTER TABLE "boards" DROP COLUMN "programs_need_quorum";
        DROP INDEX IF EXISTS "idx_users_stand_i_04c590";
        ALTER TABLE "users" DROP COLUMN "stand_in_id";
        ALTER TABLE "users" DROP COLUMN "away_until";
        ALTER TABLE "approvals" ADD "asked_user_id" UUID;
        UPDATE "approvals" SET "asked_user_id" = (SELECT p."user_id" FROM "asked_people" p
            WHERE p."kind" = 'approval' AND p."subject_id" = "approvals"."id" ORDER BY p."created_at", p."id" LIMIT 1);
        ALTER TABLE "approvals" DROP COLUMN "escalated";
        ALTER TABLE "approvals" DROP COLUMN "escalated_at";
        ALTER TABLE "agent_questions" ADD "asked_user_id" UUID;
        UPDATE "agent_questions" SET "asked_user_id" = (SELECT p."user_id" FROM "asked_people" p
            WHERE p."kind" = 'question' AND p."subject_id" = "agent_questions"."id" ORDER BY p."created_at", p."id" LIMIT 1);
        ALTER TABLE "agent_questions" DROP COLUMN "escalated";
        ALTER TABLE "agent_questions" DROP COLUMN "escalated_at";
        DROP TABLE IF EXISTS "asked_people";
        DROP TABLE IF EXISTS "approval_votes";
    """,
}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
