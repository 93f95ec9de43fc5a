"""The whole line on one machine: the backing services, every process of the platform, and the simulator that feeds it."""
