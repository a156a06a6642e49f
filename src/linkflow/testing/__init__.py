"""Public fakes, builders and contract suites, for our tests and for node authors. Nothing leans on it."""
