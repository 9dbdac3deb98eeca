# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""Did my scheduler really turn on?

>>> import attachverdict
>>> verdict = attachverdict.run(["./scx_simple", "-v"], kernel="bzImage", topology="2n4l4c2t")
>>> verdict.outcome, verdict.passed, verdict.reason
(<Outcome.ATTACHED: 1>, True, '')

A verdict is a value; exceptions (``AttachVerdictError``, an ``OSError``) mean that a cell could not
be tried at all. What the library has to tell of its own goes to the logger ``attachverdict``.
"""

from ._cell import Cell, Stream, replay, run
from ._ffi import lib as _lib
from ._ffi import text as _text
from ._sweep import Results, Sweep
from ._values import AttachVerdictError, CellResult, Outcome, Verdict

__version__ = "0.1.0"


def library_version() -> str:
    """The version of the C library in use."""
    return _text(_lib.avd_version())


__all__ = ["AttachVerdictError", "Cell", "CellResult", "Outcome", "Results", "Stream", "Sweep",
           "Verdict", "library_version", "replay", "run"]
