"""`python -m runledger.contracts write|check|release`, for who works on Runledger (`make contracts`, `make check`)."""

from __future__ import annotations

import sys

from runledger.contracts import files

_USAGE = "usage: python -m runledger.contracts write|check|release\n"


def main(arguments: list[str]) -> int:
    """Do it; return 1 where the files are stale or a promise would be broken, 2 where nobody knows what is wanted."""
    match arguments:
        case ["write"]:
            files.write()
        case ["check"] | ["release"]:
            complaints = [f"{path} is not what the code promises: make contracts" for path in files.stale()]
            complaints += [f"{breach}; this needs a new version (docs/contracts.md)" for breach in files.check()]
            sys.stderr.write("".join(f"{complaint}\n" for complaint in complaints))
            if complaints:
                return 1
            if arguments == ["release"]:
                files.release()
        case _:
            sys.stderr.write(_USAGE)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
