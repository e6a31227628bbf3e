"""The souls directory: texts that give an agent its character."""
