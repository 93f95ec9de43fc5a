"""What is checked of a rule before it may act."""
