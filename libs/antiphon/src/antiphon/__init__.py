"""What the services share: the contract, and the few things that must be done one way everywhere."""
