"""Postgres: one module per noun. Functions take a connection first, run one statement or few, and never commit."""
