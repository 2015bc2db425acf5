"""`python -m operate` is `./handrail`."""

from operate.cli import main

main()
