"""What is known about each event, decision and delivery, and the arithmetic of reports. Standard library only."""
