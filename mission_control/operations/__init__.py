"""Operations of the JSON API: declared once, checked in one order, safe to repeat, documented."""
