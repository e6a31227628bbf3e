"""The page of a board: cards, table, regions."""
