"""Durable workflows that a person can draw, run and trust."""

__version__ = "0.1.0"
