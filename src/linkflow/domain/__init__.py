"""What LinkFlow knows, as pure decisions: values in, values out. No I/O, no clock, no chance."""
