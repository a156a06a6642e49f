"""How the world is reached, one folder or file per technology. Each implements ports and decides nothing."""
