// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What of this machine can be used for cells, and what to do about what cannot. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define MIB (UINT64_C(1) << 20)
/* An uncompressed kernel takes up to about 100 MiB in the cache; a few of them fit. */
#define CACHE_FREE_WANTED (512 * MIB)
/* The guest's default memory and what QEMU takes beside it. */
#define MEMORY_WANTED (1536 * MIB)

/* The first value behind `key` in a file of "key: value" lines, or -1. */
static int64_t number_in(const char *path, const char *key)
{
	char line[512];
	int64_t value = -1;
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoll(line + strlen(key), NULL, 10);
	}
	fclose(file);
	return value;
}

static int has_cpu_flag(const char *flag)
{
	char line[8192]; /* the line of flags is about 1.5 KiB long */
	int found = 0;
	FILE *file = fopen("/proc/cpuinfo", "re");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		char *rest = line;
		for (char *word; (word = strsep(&rest, " \t\n:"));)
			found |= strcmp(word, flag) == 0;
	}
	fclose(file);
	return found;
}

static void check_cpu(struct doctor *doctor)
{
	struct utsname name;
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const char *virt = has_cpu_flag("vmx") ? "VMX" : has_cpu_flag("svm") ? "SVM" : NULL;
	if (uname(&name) < 0)
		return;
	doctor_fact(doctor, "architecture", name.machine);
	doctor_number(doctor, "online", cpus > 0 ? (uint64_t)cpus : 1);
	doctor_fact(doctor, "virtualization", virt);
	doctor_say(doctor, DOCTOR_OK, "cpu", NULL, "%s, %ld online, %s", name.machine, cpus,
		   virt ? virt : "no hardware virtualization");
}

/* Cells need not try again until the next boot. */
static int find_remembered(char *path, size_t size)
{
	const int n = avd_machine_answer_path(NULL, path, size);
	return n > 0 && (size_t)n < size && access(path, F_OK) == 0;
}

static void say_remembered(const struct doctor *doctor, const char *path)
{
	if (*path && doctor->format == CLI_TEXT)
		printf("%20s remembered for this boot in %s\n", "", path);
}

/* The library's own machine, tried out: that /dev/kvm opens does not mean that a kernel runs. */
static int check_kvm(struct doctor *doctor)
{
	struct avd_machine_info info;
	char error[1024], remembered[1024];
	const char *remedy = "nothing has to be done: cells run under emulation, slower";
	const int r = avd_machine_probe(AVD_MACHINE_KVM, NULL, &info, error, sizeof(error));
	if (!find_remembered(remembered, sizeof(remembered)))
		*remembered = '\0';
	doctor_fact(doctor, "remembered", remembered);
	if (r == 0) {
		doctor_fact(doctor, "sandbox", info.sandbox);
		doctor_say(doctor, DOCTOR_OK, "kvm", NULL,
			   "/dev/kvm runs what a stock kernel needs, sandbox %s%s%s", info.sandbox,
			   *info.note ? ": " : "", info.note);
		say_remembered(doctor, remembered);
		return 1;
	}
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
		remedy = "faster than emulation: enable virtualization in the firmware (or nested "
			 "virtualization), then modprobe kvm_intel or kvm_amd";
	else if (r == -EACCES || r == -EPERM)
		remedy = "faster than emulation: join the group of /dev/kvm (as root: usermod -aG "
			 "kvm USER), then log in again";
	doctor_say(doctor, DOCTOR_WARN, "kvm", remedy, "%s", error);
	say_remembered(doctor, remembered);
	return 0;
}

static int check_qemu(struct doctor *doctor, const char *qemu, int have_kvm)
{
	struct avd_machine_info info;
	char error[1024], version[64];
	if (avd_machine_probe(AVD_MACHINE_QEMU, qemu, &info, error, sizeof(error)) < 0) {
		doctor_say(doctor, have_kvm ? DOCTOR_WARN : DOCTOR_MISSING, "qemu", NULL, "%s",
			   error);
		return 0;
	}
	snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32 ".%" PRIu32, info.version[0],
		 info.version[1], info.version[2]);
	doctor_fact(doctor, "program", info.program);
	doctor_fact(doctor, "version", version);
	doctor_fact(doctor, "accel", info.accel);
	doctor_fact(doctor, "sandbox", info.sandbox);
	doctor_say(doctor, DOCTOR_OK, "qemu", NULL, "%s, %s, sandbox %s, %s%s%s", version,
		   info.program, info.sandbox, info.accel, *info.note ? ": " : "", info.note);
	return 1;
}

struct census {
	unsigned all, with, without; /* with and without sched_ext */
};

static int count_kernel(void *userdata, const char *path, const char *origin)
{
	struct census *census = userdata;
	struct avd_kernel_info info;
	(void)origin;
	census->all++;
	if (avd_kernel_describe(path, &info, NULL, 0) == 0) {
		census->with += info.sched_ext == AVD_YES;
		census->without += info.sched_ext == AVD_NO;
	}
	return 0;
}

static int check_kernel(struct doctor *doctor, const char *cache_dir)
{
	struct avd_kernel_info info;
	struct census census = {0};
	char *path;
	char error[1024];
	avd_kernel_list(cache_dir, count_kernel, &census);
	doctor_number(doctor, "found", census.all);
	doctor_number(doctor, "with_sched_ext", census.with);
	doctor_number(doctor, "without_sched_ext", census.without);
	doctor_say(doctor, DOCTOR_OK, "kernels", NULL,
		   "%u found: %u with sched_ext, %u without, %u unknown", census.all, census.with,
		   census.without, census.all - census.with - census.without);
	if (avd_kernel_default(cache_dir, &path, error, sizeof(error)) < 0) {
		doctor_say(doctor, DOCTOR_MISSING, "kernel", NULL, "%s", error);
		return 0;
	}
	doctor_fact(doctor, "path", path);
	if (avd_kernel_describe(path, &info, error, sizeof(error)) < 0) {
		doctor_say(doctor, DOCTOR_WARN, "kernel", NULL, "%s", error);
	} else {
		doctor_fact(doctor, "release", info.release);
		doctor_say(doctor, DOCTOR_OK, "kernel", NULL, "by default %s, %s",
			   *info.release ? info.release : "?", path);
	}
	avd_free(path);
	return 1;
}

/* The directory itself, or the nearest one above it that is there. */
static int nearest_directory(const char *cache_dir, char *path, size_t size)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int len;
	if (cache_dir)
		len = snprintf(path, size, "%s", cache_dir);
	else if (xdg && *xdg == '/')
		len = snprintf(path, size, "%s/attachverdict", xdg);
	else if (home && *home)
		len = snprintf(path, size, "%s/.cache/attachverdict", home);
	else
		return -1;
	if (len < 0 || (size_t)len >= size)
		return -1;
	while (access(path, F_OK) < 0 && errno == ENOENT) {
		char *slash = strrchr(path, '/');
		if (!slash)
			return snprintf(path, size, ".") > 0 ? 0 : -1;
		slash[slash == path] = '\0';
	}
	return 0;
}

static int check_cache(struct doctor *doctor, const char *cache_dir)
{
	static const char remedy[] = "name another one with --cache-dir, or set XDG_CACHE_HOME";
	char path[4096];
	struct statvfs fs;
	if (nearest_directory(cache_dir, path, sizeof(path)) < 0) {
		doctor_say(doctor, DOCTOR_MISSING, "cache",
			   "set HOME or XDG_CACHE_HOME, or use --cache-dir",
			   "no directory for it is known");
		return 0;
	}
	doctor_fact(doctor, "path", path);
	if (access(path, W_OK | X_OK) < 0) {
		doctor_say(doctor, DOCTOR_MISSING, "cache", remedy, "%s: %s", path,
			   strerror(errno));
		return 0;
	}
	if (statvfs(path, &fs) < 0) {
		doctor_say(doctor, DOCTOR_WARN, "cache", remedy, "%s: %s", path, strerror(errno));
		return 1;
	}
	const uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	doctor_number(doctor, "free_bytes", free_bytes);
	if (free_bytes < CACHE_FREE_WANTED)
		doctor_say(doctor, DOCTOR_WARN, "cache", remedy,
			   "%s has %" PRIu64 " MiB free; uncompressed kernels may not fit", path,
			   free_bytes / MIB);
	else
		doctor_say(doctor, DOCTOR_OK, "cache", NULL, "%s, %" PRIu64 " MiB free", path,
			   free_bytes / MIB);
	return 1;
}

static void check_memory(struct doctor *doctor)
{
	const int64_t kib = number_in("/proc/meminfo", "MemAvailable:");
	if (kib < 0)
		return;
	doctor_number(doctor, "available_bytes", (uint64_t)kib * 1024);
	if ((uint64_t)kib * 1024 < MEMORY_WANTED)
		doctor_say(doctor, DOCTOR_WARN, "memory", "give the guest less: --memory 512M",
			   "%" PRIu64 " MiB available; a cell takes 1 GiB by default",
			   (uint64_t)kib / 1024);
	else
		doctor_say(doctor, DOCTOR_OK, "memory", NULL, "%" PRIu64 " MiB available",
			   (uint64_t)kib / 1024);
}

enum { OPT_CACHE_DIR = 256, OPT_QEMU };

static int run(const struct cli_command *command, int argc, char **argv)
{
	const char *value, *qemu = NULL, *cache_dir = NULL;
	struct doctor doctor = {.format = CLI_TEXT};
	int code, id;
	while ((id = cli_next_option(command, argc, argv, &value, &code)) != -1) {
		switch (id) {
		case CLI_OPTION_STOP:
			return code;
		case 'f':
			if (cli_parse_format(command, value, &doctor.format))
				return CLI_USAGE;
			break;
		case OPT_QEMU:
			qemu = value;
			break;
		case OPT_CACHE_DIR:
			cache_dir = value;
			break;
		default:
			return cli_usage(command, "doctor: unexpected argument '%s'", value);
		}
	}
	check_cpu(&doctor);
	const int have_kvm = check_kvm(&doctor);
	const int have_qemu = check_qemu(&doctor, qemu, have_kvm);
	/* Who names a QEMU wants that one. */
	int good = qemu ? have_qemu : have_kvm || have_qemu;
	good &= check_kernel(&doctor, cache_dir);
	good &= check_cache(&doctor, cache_dir);
	check_memory(&doctor);
	doctor_end(&doctor, !good ? NULL : have_kvm && !qemu ? "kvm" : "qemu");
	return good ? CLI_PASSED : CLI_NOT_TRIED;
}

static const struct cli_option options[] = {
	{'f', "format", "text|json", "[text]"},
	{OPT_QEMU, "qemu", "PATH", "[qemu-system-x86_64 in $PATH]"},
	{OPT_CACHE_DIR, "cache-dir", "DIR", "[~/.cache/attachverdict]"},
	CLI_OPTION_HELP,
};

const struct cli_command cli_doctor = {
	.name = "doctor",
	.usage = "[OPTION]...",
	.summary = "what of this machine can be used, and what to do about the rest",
	.about = "Says what of this machine can be used, and what to do about the rest.",
	.options = options,
	.option_count = CLI_COUNT(options),
	.more = "\nExit status: 0 a cell can run here; 2 wrong usage; 3 it can't",
	.run = run,
};
