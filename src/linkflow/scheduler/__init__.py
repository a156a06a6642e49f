"""The leader-elected housekeeper: what is done because time passed and nobody asked. One file per duty."""
