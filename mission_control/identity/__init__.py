"""People of an OpenID Connect provider such as Clerk: their bearer tokens, and signing in on pages."""
