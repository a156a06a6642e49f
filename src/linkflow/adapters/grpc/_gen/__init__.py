"""Generated from proto/ by scripts/protos.py; never edited."""
