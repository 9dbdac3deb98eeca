# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The package's version; a test holds it to the library's. pyproject.toml reads this file."""

__version__ = "0.1.0"
