"""The protocol of OpenClaw gateways: one connection with all its calls and events. It knows no database."""
