"""Mission Control: boards that people and AI agents share."""

__version__ = "0.1.0"
