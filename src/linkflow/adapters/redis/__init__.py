"""Redis 7 or Valkey: the task queue on Streams, nudges on pub/sub, caches, Redlock."""
