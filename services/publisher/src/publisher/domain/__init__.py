"""What an action is, what may become of it, and what is checked right before it is sent. Pure: standard library only."""
