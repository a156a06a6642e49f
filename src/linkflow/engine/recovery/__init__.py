"""Gives open executions their drivers back after a crash, and buries ended sessions. It decides nothing."""
