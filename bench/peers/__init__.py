"""Peers on the same work, in environments of their own below bench/env."""
