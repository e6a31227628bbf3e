"""The authorities whose certificates HTTPS requests accept.

They are read once in a process: reading 140 of them takes ten milliseconds, in which nothing else runs, and longer than
most requests. Who replaces them starts the server again.
"""

import ssl
from functools import cache

import httpx2


@cache
def authorities(*, of_environment: bool) -> ssl.SSLContext:
    """Return the settings of TLS for all requests; `of_environment` heeds SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx2.create_ssl_context(trust_env=of_environment)
