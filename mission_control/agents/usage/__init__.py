"""What agents use: tokens, money, prices and budgets."""
