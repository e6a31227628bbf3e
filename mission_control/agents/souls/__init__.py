"""The directory of souls: texts that say who an agent is."""
