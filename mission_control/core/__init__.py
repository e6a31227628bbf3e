"""What every feature stands on: actors, rules, commands, operations. Imports no feature."""
