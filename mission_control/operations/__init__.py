"""Operations of the JSON API: their checks, safe retries, and the document about them."""
