"""Which rules an event meets."""
