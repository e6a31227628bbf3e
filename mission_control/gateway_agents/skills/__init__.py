"""Skills, packs of skills, and where they are installed."""
