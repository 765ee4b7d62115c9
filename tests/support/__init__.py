"""What the tests share: private services, waiting on conditions, made-up trips."""
