"""Real PostgreSQL and real Kafka, started from packages, for the product and for tests."""
