"""What everything stands on: values, errors, ids, clocks, actors and rules. It knows no database and no request."""
