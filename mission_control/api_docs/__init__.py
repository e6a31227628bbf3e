"""Documentation of the API for programs, models and people; the program for terminals as a download.

Read `reference.py` (the OpenAPI document in tables) first."""
