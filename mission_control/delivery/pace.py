"""When the delivery loop looks again: soon after a command wrote deliveries, when the next is due, else at times."""

# Rung with every commit that wrote deliveries or made some due, on PostgreSQL in every process.
BELL = "deliveries"
# A look while nothing is waiting repairs a ringing that was lost, and finds what a command line wrote on SQLite.
IDLE_SECONDS = 15.0
# Something is due and another worker is at it.
BUSY_SECONDS = 1.0
# While nothing is being sent it looks once in so long: what many commands write is looked at together.
BREATH_SECONDS = 0.02
