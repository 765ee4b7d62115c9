"""Being woken: one interface, RabbitMQ or Postgres behind it. A message only says that a stored trip waits."""
