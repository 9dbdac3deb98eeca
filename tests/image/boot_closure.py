# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""A dynamically linked program in a real kernel's initramfs, as lib/image packs it: ld.so finds
its libraries there by RUNPATH, symlinks and the host's ld.so.cache, and the kernel unpacks what
was written.

  boot_closure.py IMAGE_PEER KERNEL_PEER CC      kernels: $AVD_TEST_KERNELS/RELEASE/vmlinuz
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

IMAGE_PEER, KERNEL_PEER, CC = sys.argv[1], sys.argv[2], sys.argv[3:]
QEMU = shutil.which("qemu-system-x86_64")
KERNELS = sorted(glob.glob(os.path.join(os.environ.get("AVD_TEST_KERNELS", ""), "*", "vmlinuz")))
BOOT_SECONDS = 900  # catches a hang: a kernel boots in 5 s under emulation

INIT = r"""
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, 0);
	for (int i = 1; i < argc; i++) {
		int status = -1;
		const pid_t pid = fork();
		if (pid == 0) {
			execl(argv[i], argv[i], (char *)0);
			_exit(127);
		}
		waitpid(pid, &status, 0);
		printf("init: %s ended with %d\n", argv[i], status);
	}
	fflush(stdout);
	reboot(RB_AUTOBOOT);
	return 1;
}
"""
LIBRARY = "int answer(void) { return 4242; }\n"
MAIN = r"""
#include <math.h>
#include <stdio.h>
#include <zlib.h>
int answer(void);
int main(int argc, char **argv)
{
	printf("program: answer %d, cos %.1f, zlib %c\n", answer(), cos(argc - 1), zlibVersion()[0]);
	return 0;
}
"""
SCRIPT = "#!/usr/bin/env sh\necho script: $((40 + 2))\n"


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def compile_c(path, source, *args):
    with open(path + ".c", "w") as file:
        file.write(source)
    subprocess.run([*CC, "-o", path, path + ".c", *args], check=True)
    return path


def main(work):
    init = compile_c(os.path.join(work, "init"), INIT, "-static")
    os.makedirs(os.path.join(work, "store"))
    library = compile_c(os.path.join(work, "store", "libanswer.so.1.0"), LIBRARY, "-shared",
                        "-fPIC", "-Wl,-soname,libanswer.so.1")
    os.symlink("store/libanswer.so.1.0", os.path.join(work, "libanswer.so.1"))
    program = compile_c(os.path.join(work, "program"), MAIN, library, "-lz", "-lm",
                        "-Wl,-rpath,$ORIGIN")
    script = os.path.join(work, "script")
    with open(script, "w") as file:
        file.write(SCRIPT)
    os.chmod(script, 0o755)
    initramfs = os.path.join(work, "initramfs")
    vmlinux = os.path.join(work, "vmlinux")
    subprocess.run([IMAGE_PEER, initramfs, "path", init, "/init", "dir", "/dev", "dir", "/proc",
                    "program", program, "program", script], check=True)
    subprocess.run([KERNEL_PEER, "vmlinux", KERNELS[-1], os.path.join(work, "cache"), vmlinux],
                   check=True)
    # With single-threaded TCG: see the design, section 5.
    boot = subprocess.run(
        [QEMU, "-M", "q35", "-accel", "tcg,thread=single", "-cpu", "max", "-m", "512", "-nodefaults",
         "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
         "-kernel", vmlinux, "-initrd", initramfs, "-append",
         "console=ttyS0 quiet panic=-1 cryptomgr.notests=1 random.trust_cpu=on mitigations=off "
         "-- %s %s" % (program, script)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=BOOT_SECONDS)
    console = boot.stdout.decode(errors="replace").replace("\r", "")
    print(console)
    for want in ("program: answer 4242, cos 1.0, zlib 1", "init: %s ended with 0" % program,
                 "script: 42", "init: %s ended with 0" % script):
        assert want in console, "missing: " + want
    assert boot.returncode == 0, boot.returncode


if not QEMU:
    skip("no qemu-system-x86_64")
if not KERNELS:
    skip("no kernel in AVD_TEST_KERNELS=%s; run tools/fetch-kernel" % os.environ.get("AVD_TEST_KERNELS"))
directory = tempfile.mkdtemp(prefix="boot-closure-", dir=os.getcwd())
try:
    main(directory)
finally:
    shutil.rmtree(directory)
