# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""For tests of programs that are stopped: whatever they start and leave behind is found."""
import ctypes
import os
import signal

PR_SET_CHILD_SUBREAPER = 36
LIMIT = 900  # seconds; catches a process that stays, judges nothing


def adopt():
    """From now on processes that lose their parent become this one's children: none can hide."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def none_left():
    """Whether there is no child, not even one that has ended."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def wait_until_none():
    def too_late(*_):
        raise AssertionError(f"a process is still there after {LIMIT} s")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(LIMIT)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
