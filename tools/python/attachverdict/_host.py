# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""What can be used here: kernels, machines, topologies."""

import ctypes
from ctypes import byref, c_char_p, c_void_p
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from . import _ffi, _structs
from ._cell import word
from ._ffi import PathLike, check, lib, text
from ._handle import Callbacks

_TRISTATE: Dict[int, Optional[bool]] = {1: False, 2: True}
_FORMATS = {1: "bzImage", 2: "vmlinux"}


def library_version() -> str:
    """The version of the C library in use."""
    return text(lib.avd_version())


@dataclass(frozen=True)
class Topology:
    """The shape of a machine's CPUs. As a str it is the text that it was made of, so it can stand
    wherever a topology is asked for.

    >>> Topology.parse("2n4l4c2t").cpus
    32
    """

    text: str
    cpus: int
    nodes: int
    llcs: int
    """Last-level caches, in all."""
    cores: int
    """In all."""
    threads_per_core: int
    even: bool
    """All last-level caches have as many cores."""

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, topology: Any) -> "Topology":
        """A number of CPUs, a shape ("2n4l4c2t", "1n3l4+2+1c1t") or a preset ("numa2-4llc")."""
        raw, error = _structs.TopologyInfo(), _ffi.error_buffer()
        raw.size = ctypes.sizeof(raw)
        check(lib.avd_topology_describe(_ffi.text_bytes(str(topology)), byref(raw), error, len(error)),
              error.value)
        return cls(text=str(topology), cpus=raw.cpus, nodes=raw.nodes, llcs=raw.llcs,
                   cores=raw.cores, threads_per_core=raw.threads_per_core, even=bool(raw.even))

    @classmethod
    def presets(cls) -> Dict[str, str]:
        """Names of presets, and the shape of each."""
        found: Dict[str, str] = {}
        shape = c_char_p()
        while True:
            name = lib.avd_topology_preset(len(found), byref(shape))
            if not name:
                return found
            found[text(name)] = text(shape.value)


@dataclass(frozen=True)
class Machine:
    """What runs a cell."""

    kind: str
    """"qemu" or "kvm"."""
    accel: str
    """How it runs the guest's instructions: "kvm", or "tcg" (emulation)."""
    program: str
    """Its path; "" if it is the library itself."""
    version: Tuple[int, int, int]
    """Of that program."""
    sandbox: str
    note: str
    """One line worth knowing, such as why this kind; or ""."""


def probe(machine: str = "auto", qemu: Optional[PathLike] = None) -> Machine:
    """Which machine a cell would get here, found by trying, within seconds; no kernel is booted.
    `machine`: "auto", "qemu" or "kvm". What is missing, and the remedy, is an
    ``AttachVerdictError``."""
    raw, error = _structs.MachineInfo(), _ffi.error_buffer()
    check(lib.avd_machine_probe(word("machine", machine), _ffi.path_bytes(qemu), byref(raw),
                                error, len(error)), error.value)
    return Machine(kind=text(lib.avd_machine_kind_name(raw.kind)), accel=text(raw.accel),
                   program=text(raw.program), version=(raw.version[0], raw.version[1], raw.version[2]),
                   sandbox=text(raw.sandbox), note=text(raw.note))


@dataclass(frozen=True)
class Kernel:
    """A kernel image."""

    path: str
    origin: str
    """"running", "installed", "fetched"; "" if it was named by its path."""
    release: str
    """``uname -r``; "" if it is not known."""
    sched_ext: Optional[bool]
    """Whether it can run sched_ext schedulers at all; None if it is not known."""
    format: str
    """"bzImage" or "vmlinux"."""

    @classmethod
    def describe(cls, path: PathLike, origin: str = "") -> "Kernel":
        """Reads the image at `path`."""
        raw, error = _structs.KernelInfo(), _ffi.error_buffer()
        name = _ffi.path_bytes(path)
        check(lib.avd_kernel_describe(name, byref(raw), error, len(error)), error.value)
        return cls(path=text(name), origin=origin, release=text(raw.release),
                   sched_ext=_TRISTATE.get(raw.sched_ext), format=_FORMATS.get(raw.format, ""))


def kernels(cache_dir: Optional[PathLike] = None) -> Tuple[Kernel, ...]:
    """The kernels of this host that can be read: the running one, installed ones, fetched ones,
    newest first. ``attachverdict-fetch-kernel`` fetches more."""
    found: List[Tuple[bytes, bytes]] = []
    callbacks = Callbacks()
    take = callbacks.wrap(_structs.KernelFn,
                          lambda _user, path, origin: found.append((path, origin)))
    check(callbacks.call(lib.avd_kernel_list, _ffi.path_bytes(cache_dir), take, None),
          b"the kernels can't be listed")
    made = []
    for path, origin in found:
        try:
            made.append(Kernel.describe(path, text(origin)))
        except _ffi.AttachVerdictError:
            continue  # the running kernel's image may be for root alone
    return tuple(made)


def default_kernel(cache_dir: Optional[PathLike] = None) -> str:
    """The path of the kernel that a cell boots which names none. If there is none, the error
    says how to fetch one."""
    out, error = c_void_p(), _ffi.error_buffer()
    check(lib.avd_kernel_default(_ffi.path_bytes(cache_dir), byref(out), error, len(error)),
          error.value)
    try:
        return text(ctypes.string_at(out))
    finally:
        lib.avd_free(out)
