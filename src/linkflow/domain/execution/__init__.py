"""How one execution goes on: events, state, decisions. Nothing about who asks or where it is stored."""
