"""OpenClaw gateways: their connections, and calls to them from every process."""
