"""The tools: of workers, leads and people."""
