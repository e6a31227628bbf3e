"""Long work beside requests that a person started and may leave."""
