"""Who calls: credentials become actors, and what they may is looked at again."""
