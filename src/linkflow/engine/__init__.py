"""The execution plane: the services that move executions along. They meet only through ports.services."""
