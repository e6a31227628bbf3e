"""Long work that somebody started: how far it is, and its result until somebody has read it."""
