"""Targets for a coverage-guided fuzzer, which is run by hand."""
