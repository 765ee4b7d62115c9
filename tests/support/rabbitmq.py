"""A real, private RabbitMQ for the tests."""
