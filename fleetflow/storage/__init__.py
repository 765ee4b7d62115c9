"""Postgres: one module per noun. Functions take a connection first, run few statements and never commit."""
