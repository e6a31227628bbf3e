"""What gateways ask for agents on no board."""
