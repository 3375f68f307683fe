"""The `runledger` command."""

from __future__ import annotations

import sys

_NEEDS_SERVER = "The runledger command needs the server parts: pip install 'runledger[stack]'"


def main() -> int:
    """Run the command line; the base install holds only the SDK and says so."""
    try:
        import typer  # noqa: F401, PLC0415  # only asks whether the extra is there
    except ModuleNotFoundError:
        sys.stderr.write(_NEEDS_SERVER + "\n")
        return 2
    from runledger.cli import run  # noqa: PLC0415  # the base install has no typer

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
