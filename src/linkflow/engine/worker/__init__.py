"""Polls for tasks and runs one node for each. It decides nothing about the execution."""
