"""REST and WebSocket in front of control: parse, call one use case, render. No decision is taken here."""
