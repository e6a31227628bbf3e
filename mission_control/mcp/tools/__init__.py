"""The tools, by whom they are for."""
