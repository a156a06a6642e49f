"""The only writer of event history: load, decide, append. It runs no node."""
