"""The control plane: what people and teams do, one use case per function. It moves no execution along."""
