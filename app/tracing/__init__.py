"""Traces: what was done for one request or webhook, in whichever process, for OpenTelemetry."""
