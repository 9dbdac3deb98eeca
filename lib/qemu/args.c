// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "qemu/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/window.h"
#include "qemu/topology.h"

/* Translated code that QEMU keeps, in MiB; by default it reserves 1024. A boot of 7.3 fills 50 and
 * is as quick with 32; a guest that works on after it should not have to translate anew. */
#define TB_SIZE_MIB 128u

static const char sandbox[] =
	"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/*
 * What every kernel is booted with.
 *   console, panic          the console is evidence; a panic ends the machine at once
 *   quiet                   panics, oopses and errors print all the same; 1.2 s of a boot
 *   8250.nr_uarts, pnpacpi  the kernel must not find the channel's UART: with the first alone
 *                           it makes a ttyS1 of what ACPI lists, or even calls that one ttyS0
 *   reserve                 nor may a root user move ttyS0 there (TIOCSSERIAL): EBUSY
 *   no_timer_check          on a busy host the emulated timer may not tick within the kernel's
 *                           test of it, which then panics: "IO-APIC + timer doesn't work!"
 *   the rest                time: no self-tests, no calibration, no page-table isolation
 */
static const char kernel_cmdline[] =
	"console=ttyS0 panic=-1 quiet rdinit=/init 8250.nr_uarts=1 pnpacpi=off reserve=0x2f8,8 "
	"mitigations=off nokaslr no5lvl tsc=reliable random.trust_cpu=on cryptomgr.notests=1 "
	"no_timer_check";

void avd__qemu_word(struct avd__buf *words, const char *text)
{
	avd__buf_append(words, text, strlen(text) + 1);
}

void avd__qemu_add(struct avd__buf *words, const char *option, const char *fmt, ...)
{
	va_list args;
	char *text;

	avd__qemu_word(words, option);
	va_start(args, fmt);
	const int r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0) {
		words->error = -ENOMEM;
		return;
	}
	avd__qemu_word(words, text);
	free(text);
}

static void add_machine(const struct avd__qemu_setup *setup, struct avd__buf *words)
{
	avd__qemu_word(words, setup->program);
	avd__qemu_word(words, "-nodefaults");
	avd__qemu_word(words, "-no-user-config");
	avd__qemu_word(words, "-no-reboot");
	avd__qemu_add(words, "-display", "none");
	avd__qemu_add(words, "-machine", "pc");
	if (!strcmp(setup->accel, "tcg"))
		avd__qemu_add(words, "-accel", "tcg,thread=%s,tb-size=%u",
			      setup->major < AVD__QEMU_MTTCG_SOUND_SINCE ? "single" : "multi",
			      TB_SIZE_MIB);
	else
		avd__qemu_add(words, "-accel", "%s", setup->accel);
	avd__qemu_add_topology(setup, words);
}

/* COM1 is the console. The channel's UART comes first: ACPI lists them in reverse, and a kernel
 * that reads ACPI all the same should take COM1 for ttyS0. */
static void add_ports(struct avd__buf *words)
{
	avd__qemu_add(words, "-device", "isa-serial,chardev=channel,iobase=0x2f8,irq=3");
	avd__qemu_add(words, "-device", "isa-serial,chardev=console,iobase=0x3f8,irq=4");
}

/* Memory that this process has mapped, too, as the region of a PCI device of which the guest's
 * kernel does not know (codec/window.h). */
static void add_window(struct avd__buf *words)
{
	avd__qemu_add(words, "-object",
		      "memory-backend-file,id=window,share=on,mem-path=/proc/self/fd/%d,size=%u",
		      AVD__QEMU_FD_WINDOW, AVD__WINDOW_SIZE);
	avd__qemu_add(words, "-device", "ivshmem-plain,memdev=window,addr=%x.%x",
		      AVD__WINDOW_PCI_SLOT, AVD__WINDOW_PCI_FUNCTION);
}

int avd__qemu_args(const struct avd__qemu_setup *setup, struct avd__buf *ret_words)
{
	struct avd__buf words = {0};

	add_machine(setup, &words);
	if (setup->kernel_path) {
		avd__qemu_add(&words, "-chardev", "stdio,id=console,signal=on");
		avd__qemu_add(&words, "-chardev", "file,id=channel,path=channel.cborseq");
		add_ports(&words);
		avd__qemu_add(&words, "-kernel", "%s", setup->kernel_path);
		avd__qemu_add(&words, "-initrd", "%s", setup->initramfs_path);
	} else {
		if (setup->sandbox)
			avd__qemu_add(&words, "-sandbox", "%s", sandbox);
		avd__qemu_add(&words, "-chardev", "socket,id=console,fd=%d", AVD__QEMU_FD_CONSOLE);
		avd__qemu_add(&words, "-chardev", "socket,id=channel,fd=%d", AVD__QEMU_FD_CHANNEL);
		avd__qemu_add(&words, "-chardev", "socket,id=qmp,fd=%d", AVD__QEMU_FD_QMP);
		add_ports(&words);
		if (setup->window)
			add_window(&words);
		avd__qemu_add(&words, "-mon", "chardev=qmp,mode=control");
		avd__qemu_word(&words, "-S"); /* until QMP's events are on */
		/* The only way to tell a triple fault from a reset; nothing but resets is logged.
		 */
		avd__qemu_add(&words, "-d", "cpu_reset");
		avd__qemu_add(&words, "-D", "/proc/self/fd/%d", AVD__QEMU_FD_TRACE);
		avd__qemu_add(&words, "-kernel", "/proc/self/fd/%d", AVD__QEMU_FD_KERNEL);
		avd__qemu_add(&words, "-initrd", "/proc/self/fd/%d", AVD__QEMU_FD_INITRAMFS);
	}
	avd__qemu_add(&words, "-append", "%s", setup->kernel_cmdline);
	avd__qemu_word(&words, "");
	if (words.error) {
		const int r = words.error;
		avd__buf_free(&words);
		return r;
	}
	*ret_words = words;
	return 0;
}

char **avd__qemu_argv(const struct avd__buf *words)
{
	size_t count = 0, n = 0;

	for (size_t i = 0; i < words->len; i++)
		count += words->data[i] == '\0';
	char **argv = calloc(count + 1, sizeof(*argv));
	if (!argv)
		return NULL;
	for (char *p = words->data; *p; p += strlen(p) + 1)
		argv[n++] = p;
	return argv;
}

static bool plain(const char *text)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_-+=:,./@%";
	return *text && text[strspn(text, ok)] == '\0';
}

int avd__qemu_shell_line(const struct avd__buf *words, struct avd__buf *ret_line)
{
	struct avd__buf line = {0};

	for (const char *p = words->data; *p; p += strlen(p) + 1) {
		if (line.len)
			avd__buf_puts(&line, " ");
		if (plain(p)) {
			avd__buf_puts(&line, p);
			continue;
		}
		avd__buf_puts(&line, "'");
		for (const char *c = p; *c; c++) {
			if (*c == '\'')
				avd__buf_puts(&line, "'\\''");
			else
				avd__buf_append(&line, c, 1);
		}
		avd__buf_puts(&line, "'");
	}
	avd__buf_puts(&line, "\n");
	if (line.error) {
		const int r = line.error;
		avd__buf_free(&line);
		return r;
	}
	*ret_line = line;
	return 0;
}

int avd__qemu_kernel_cmdline(const struct avd__topology *topology, const char *more, bool only,
			     struct avd__buf *ret_line)
{
	struct avd__buf line = {0};
	char possible[64];

	avd__buf_puts(&line, only ? "" : kernel_cmdline);
	avd__qemu_possible_cpus(topology, possible, sizeof(possible));
	if (*possible && !only)
		avd__buf_printf(&line, " %s", possible);
	if (more && *more)
		avd__buf_printf(&line, "%s%s", only ? "" : " ", more);
	if (line.error) {
		const int r = line.error;
		avd__buf_free(&line);
		return r;
	}
	*ret_line = line;
	return 0;
}

/* A decimal number of at most six digits, then `stop`, which is skipped. */
static const char *number(const char *text, char stop, uint32_t *ret_value)
{
	uint32_t value = 0;
	int digits = 0;
	for (; *text >= '0' && *text <= '9' && digits < 6; text++, digits++)
		value = value * 10 + (uint32_t)(*text - '0');
	if (!digits || (stop && *text != stop))
		return NULL;
	*ret_value = value;
	return text + (stop ? 1 : 0);
}

int avd__qemu_parse_version(const char *text, struct avd__qemu_info *ret_info)
{
	static const char start[] = "QEMU emulator version ";
	struct avd__qemu_info info = *ret_info;

	if (strncmp(text, start, sizeof(start) - 1) != 0)
		return -1;
	text = number(text + sizeof(start) - 1, '.', &info.major);
	if (text)
		text = number(text, '.', &info.minor);
	if (text)
		text = number(text, '\0', &info.micro);
	if (!text || (*text >= '0' && *text <= '9'))
		return -1;
	*ret_info = info;
	return 0;
}
