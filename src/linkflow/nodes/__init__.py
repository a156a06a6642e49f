"""What a workflow can do, one file per node family. A node reaches the world only through its context."""
