"""``python -m neumatc.cli``, for environments without the console script."""

from neumatc.cli import main

main(prog_name="neumatc")
