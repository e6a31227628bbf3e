"""What budgets of money cannot count: tokens of models without a price."""

from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

# Days are those of UTC, which stand on the budget.
FILL = """UPDATE budgets SET unpriced_tokens = COALESCE((
    SELECT SUM(e.unpriced_tokens) FROM usage_entries e
    WHERE e.organization_id = budgets.organization_id AND (budgets.period = 'total' OR e.day = budgets.used_on)
    AND (budgets.agent_id IS NULL OR e.agent_id = budgets.agent_id)
    AND (budgets.board_id IS NULL OR e.board_id = budgets.board_id)), 0);"""
ADD = 'ALTER TABLE "budgets" ADD "unpriced_tokens" BIGINT NOT NULL DEFAULT 0;'
UP = dict.fromkeys(("sqlite", "postgres"), f"{ADD} {FILL}")
DOWN = dict.fromkeys(UP, 'ALTER TABLE "budgets" DROP COLUMN "unpriced_tokens";')

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
