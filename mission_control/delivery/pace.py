"""When the delivery loop looks again: soon after a command wrote deliveries, when the next is due, else at times."""

# Notified by every commit that wrote deliveries or made some due, on PostgreSQL in every process.
CHANNEL = "deliveries"
# A look while nothing is waiting repairs a lost notification, and finds what a command line wrote on SQLite.
IDLE_SECONDS = 15.0
# Something is due and another worker is at it.
BUSY_SECONDS = 1.0
# While nothing is being sent the loop looks at most once in this time: it takes what many commands wrote together.
DEBOUNCE_SECONDS = 0.02
