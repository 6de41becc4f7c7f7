"""Runs a server so that it ends when the tests end, in whatever way they do.

    python launch.py PARENT_PID SIGNAL USER PROGRAM [ARGUMENT...]

Becomes PROGRAM, as USER unless that is "-", and asks the kernel for SIGNAL at
the death of the parent. A script of its own, not a `preexec_fn`: that may
deadlock in a process with threads, and newer Pythons warn of it.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, user, *command = sys.argv[1:]
    os.setpgid(0, 0)  # Ctrl-C is for pytest, which then stops its servers in order
    if user != "-":
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    # After setuid, which would undo it. Elsewhere than on Linux there is none.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("the tests have ended")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
