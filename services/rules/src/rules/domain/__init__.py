"""What rules mean: pure functions of configuration, state and event; standard library only."""
