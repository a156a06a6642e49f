"""The read model made from events: list, filter, count, fetch. It is never asked what is true."""
