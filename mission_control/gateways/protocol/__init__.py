"""What goes over a connection: addresses, identity, the handshake, errors."""
