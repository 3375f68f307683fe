"""Become a supervised process: tie our life to the supervisor's, drop to another user, then run the command.

Run as a script, without the project on the path, so that it costs a few milliseconds only:

    python -I -S child.py PARENT_PID DEATH_SIGNAL USER COMMAND [ARGUMENT …]

USER is a system user's name, or empty to stay who we are. It is a program of its own because the supervisor has
threads, and code between fork and exec is not safe beside threads.
"""

import ctypes
import os
import pwd
import signal
import sys

_PR_SET_PDEATHSIG = 1
_ORPHANED = 70


def main(arguments: list[str]) -> None:
    """Set up this process and replace it by the command."""
    parent, death_signal, user, *command = arguments
    if user:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.umask(0o077)
    # After the change of user, which would clear it. Elsewhere than on Linux the next start finds what is left over.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):
        # The supervisor died before we asked to be told.
        sys.exit(_ORPHANED)
    # A script started with SIGINT ignored (by nohup or a shell's &) must not hand that on: SIGINT stops Postgres.
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point; the supervisor names the command


if __name__ == "__main__":
    main(sys.argv[1:])
