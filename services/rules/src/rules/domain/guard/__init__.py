"""The crisis guard: what is counted, what is usual, how unusual the present is, and when that is a crisis. Pure."""
