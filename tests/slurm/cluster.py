# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A Slurm cluster of one host, for a test: munged, slurmctld and some slurmd, nothing of the
system's.

Everything runs in namespaces of its own: the network has a loopback interface and nothing else,
and each node is a tree of processes with its own PID 1, so that a node dies as a machine does, with
all that runs on it, and that the whole cluster dies with the test, however that ends.
"""

import ctypes
import fcntl
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SKIP = 77
PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "scontrol", "unshare")
INSIDE = "AVD_SLURM_NAMESPACE"  # set where the namespaces are made
# How long a daemon may take until it answers, and a state until it is reached. Generous: a busy
# machine is slow, and nothing waits longer than it has to.
PATIENCE_S = 900
POLL_S = 0.1
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8913, 0x8914, 0x8916, 1
# A second address of the loopback: with 127.0.0.1 alone getaddrinfo() (AI_ADDRCONFIG) finds none.
ADDRESS = "10.7.0.1"

CONF = """\
ClusterName=attachverdict
SlurmctldHost=ctl({address})
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={top}/munge.socket
StateSaveLocation={top}/state
SlurmdSpoolDir={top}/spool.%n
SlurmctldPidFile={top}/slurmctld.pid
SlurmdPidFile={top}/slurmd.%n.pid
SlurmctldLogFile={top}/slurmctld.log
SlurmdLogFile={top}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
# The nodes share one host's CPUs, so what each has is what is said here.
SlurmdParameters=config_overrides
SelectType=select/linear
SchedulerType=sched/builtin
# Jobs that wait for others are looked at so often, in seconds, not each minute.
SchedulerParameters=sched_interval=1
# A node that does not answer for as long is down, and its jobs are lost. The test waits for that
# once, so it is not as long as the others: those end what hangs, whatever a busy machine takes.
SlurmdTimeout=60
MessageTimeout=40
TCPTimeout=40
BatchStartTimeout=300
KillWait=2
ReturnToService=1
NodeName=c[1-{nodes}] NodeHostname=ctl NodeAddr={address} Port=[7001-{last_port}] CPUs=2 \
RealMemory=4096
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def enter_namespaces():
    """Runs the calling program again, as PID 1 of new namespaces. Returns there only."""
    if os.environ.get(INSIDE):
        loopback_up()
        return
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if missing:
        skip(f"no {', '.join(missing)}; install slurmctld slurmd slurm-client munge")
    command = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child",
               "--mount-proc"]
    if os.geteuid() != 0:
        command += ["--user", "--map-current-user", "--keep-caps"]
    probe = subprocess.run([*command, "true"], check=False, stdin=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, encoding="utf-8")
    if probe.returncode:
        skip(f"namespaces can't be made here: {probe.stderr.strip()}")
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def loopback_up():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sethostname(b"ctl", 3) < 0:
        raise OSError(ctypes.get_errno(), "sethostname")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        request = fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(24))
        flags = struct.unpack_from("h", request, 16)[0]
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("h", flags | IFF_UP) + bytes(22))
        address = struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(ADDRESS)) + bytes(16)
        fcntl.ioctl(control, SIOCSIFADDR, b"lo:1".ljust(16, b"\0") + address)


def wait_until(what, check, alive=()):
    """The first true value of check(). Fails when it takes too long or a process has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := check()):
        for process in alive:
            if process.poll() is not None:
                raise AssertionError(f"{process.args} ended while waiting for {what}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(POLL_S)
    return found


class Cluster:
    """A context: the daemons run inside of it."""

    def __init__(self, top, nodes):
        self.top = pathlib.Path(top)
        self.daemons = {}
        self.names = [f"c{i + 1}" for i in range(nodes)]
        self.env = {**os.environ, "SLURM_CONF": str(self.top / "slurm.conf")}

    def run(self, *command, **how):
        how.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([str(word) for word in command], check=True, env=self.env,
                              stdin=subprocess.DEVNULL, encoding="utf-8", **how)

    def start(self, name, *command):
        with open(self.top / f"{name}.out", "wb") as out:
            self.daemons[name] = subprocess.Popen(
                [str(word) for word in command], env=self.env, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT)

    def start_node(self, name):
        """PID 1 of a node is a shell, which takes over orphans and is there for their ends."""
        self.start(name, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
                   "sh", "-c", 'slurmd -D -N "$0" & wait', name)

    def kill_node(self, name):
        """As if its plug were pulled."""
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def answers(self):
        done = subprocess.run(["scontrol", "-o", "show", "node"], check=False, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        return done.stdout.count("State=IDLE ") == len(self.names)

    def __enter__(self):
        key, munge = self.top / "munge.key", self.top / "munge.socket"
        for name in ("state", *(f"spool.{node}" for node in self.names)):
            (self.top / name).mkdir()
        (self.top / "slurm.conf").write_text(
            CONF.format(top=self.top, user=pwd.getpwuid(os.getuid()).pw_name, address=ADDRESS, nodes=len(self.names), last_port=7000 + len(self.names)),
            encoding="utf-8")
        self.run("mungekey", "--create", f"--keyfile={key}")
        # --force: a socket below a directory of this test's own is good enough.
        self.start("munged", "munged", "--foreground", "--force", f"--key-file={key}",
                   f"--socket={munge}", f"--pid-file={self.top}/munged.pid",
                   f"--log-file={self.top}/munged.log", f"--seed-file={self.top}/munged.seed")
        try:
            wait_until("munged", munge.exists, self.daemons.values())
            self.start("slurmctld", "slurmctld", "-D", "-c")
            for name in self.names:
                self.start_node(name)
            wait_until("the nodes", self.answers, self.daemons.values())
        except BaseException:
            self.tell()
            self.__exit__()
            raise
        return self

    def tell(self):
        """What the daemons said, for a test that failed."""
        for path in sorted([*self.top.glob("*.log"), *self.top.glob("*.out")]):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
            print(f"--- {path.name}", *lines, sep="\n")

    def __exit__(self, *_):
        """We are PID 1 of the namespace: everybody else in it is ours."""
        os.kill(-1, signal.SIGKILL)
        for daemon in self.daemons.values():
            daemon.wait()

    def scontrol(self, *words):
        return self.run("scontrol", *words).stdout
