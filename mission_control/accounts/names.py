"""People's names in SQL: the preferred name, else the name, else the address."""


def person_name(alias: str, nameless: str | None = None) -> str:
    """Return SQL for the name of the user behind a table alias.

    Null where there is no user, or `nameless` where that is given, as User.display_name says "User".
    """
    last = "" if nameless is None else f", '{nameless}'"
    return f"COALESCE({alias}.preferred_name, {alias}.name, {alias}.email{last})"


def chosen_name(alias: str) -> str:
    """Return SQL for the name that a user chose, null for one who is known by an address only."""
    return f"COALESCE({alias}.preferred_name, {alias}.name)"
