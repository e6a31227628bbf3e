"""People proved by an OpenID Connect provider, Clerk among them: bearer tokens, and signing in on pages."""
