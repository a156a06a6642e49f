"""What the core needs from the world, as Protocols and their records. No implementation."""
