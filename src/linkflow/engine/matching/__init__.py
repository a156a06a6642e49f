"""Hands ready tasks to workers, one backlog per task queue. It knows nothing of what a task means."""
