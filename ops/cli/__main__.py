"""`python -m ops.cli`: the same as `returnflow`, for the interpreter that runs the supervisor."""

from ops.cli import main

main(prog_name="returnflow")
