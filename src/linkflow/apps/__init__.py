"""Composition roots: settings, wiring, processes. The only room that knows every other."""
