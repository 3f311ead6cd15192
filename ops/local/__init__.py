"""A real Kafka on this machine for the demo, the tests and a developer's desk: no Docker, no installed Java."""
