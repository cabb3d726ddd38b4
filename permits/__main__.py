"""`python -m permits` is `permits`."""

from permits.cli import main

main()
