"""The embedded backing services (Kafka, a MongoDB-wire store, Valkey) as native processes on loopback, without containers."""
