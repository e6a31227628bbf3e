"""The files of an agent's workspace on a gateway: what an agent is told, by its role."""
