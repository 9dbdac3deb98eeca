# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Did my scheduler really turn on?

>>> import attachverdict
>>> verdict = attachverdict.run(["./scx_simple", "-v"], kernel="bzImage", topology="2n4l4c2t")
>>> verdict.outcome, verdict.passed, verdict.reason
(<Outcome.ATTACHED: 1>, True, '')

``run`` boots one cell, ``Sweep`` many of them, ``Results`` is what a sweep left; ``replay``
judges a recording again, ``Stream`` bytes from anywhere. With pytest there is the fixture
``attach_verdict``.

A verdict is a value; exceptions (``AttachVerdictError``, an ``OSError``) mean that something
could not be tried at all. What the library has to tell of its own goes to the logger
``attachverdict``. What a callback raises comes out of the call that it happened in.

Threads: functions may be called from any thread, and the GIL is free while the library works.
An object is for one thread at a time: a call from a second one, or from its own callback, raises
RuntimeError; ``cancel()`` is for any thread and for signals' handlers. A closed object raises
ValueError. In a process that was forked, objects of the parent are not to be used.
"""

from ._cell import Cell, run
from ._ffi import AttachVerdictError
from ._host import Kernel, Machine, Topology, default_kernel, kernels, library_version, probe
from ._messages import Event
from ._report import Attach, Dispatch, Ejection, Payload, Phase, Program
from ._results import FORMATS, Change, Comparison, Results, compare, mark, merge
from ._stream import Stream, open_recording, replay
from ._sweep import Progress, Sweep, SweepRun
from ._values import CellResult, Outcome, ReasonCode, Verdict
from ._version import __version__

__all__ = ["FORMATS", "Attach", "AttachVerdictError", "Cell", "CellResult", "Change",
           "Comparison", "Dispatch", "Ejection", "Event", "Kernel", "Machine", "Outcome",
           "Payload", "Phase", "Program", "Progress", "ReasonCode", "Results", "Stream", "Sweep",
           "SweepRun", "Topology", "Verdict", "__version__", "compare", "default_kernel",
           "kernels", "library_version", "mark", "merge", "open_recording", "probe", "replay", "run"]
