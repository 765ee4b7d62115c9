"""The ingest API: telemetry in, trip and score out, health, metrics. It answers; it decides nothing."""
