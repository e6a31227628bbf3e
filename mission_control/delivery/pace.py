"""When the delivery loop polls: soon after a command wrote deliveries, when the next is due, else now and then."""

# Notified by every commit that wrote deliveries or made some due, on PostgreSQL in every process.
CHANNEL = "deliveries"
# A poll while nothing is due repairs a lost notification, and finds what the command line wrote on SQLite.
IDLE_SECONDS = 15.0
# Something is due, and another worker has it.
BUSY_SECONDS = 1.0
# While nothing is being sent the loop looks at most once in this time: it takes what many commands wrote together.
DEBOUNCE_SECONDS = 0.02
