"""`python -m linkflow`: the command line."""

from linkflow.apps.cli import main

main()
