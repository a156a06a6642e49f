"""What a workflow is and what its spec means, before anything runs. Nothing about one execution."""
