// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Does to the verifier's statistics what root in the guest can do to them, then becomes the
 * program that is named behind it:
 *   forge_programs COMMAND...
 *  - loads programs with names of control characters, which the kernel refuses, of 0xFF, which
 *    it takes for letters, and with a name of 15 bytes, the longest there is;
 *  - prints verifier output and libbpf's words to its outputs and to the kernel log;
 *  - finds init's ring buffer by its id, writes forged and broken records into it from a BPF
 *    program of its own, and moves the consumer's position.
 * Says on standard output what it managed to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LICENSE "GPL"
#define RECORD_SIZE 80 /* guest/program_record.h */

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const char *name, const struct bpf_insn *insns, uint32_t count)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .insn_cnt = count,
			       .insns = (uintptr_t)insns,
			       .license = (uintptr_t)LICENSE};

	memcpy(attr.prog_name, name, strnlen(name, sizeof(attr.prog_name)));
	return (int)bpf(BPF_PROG_LOAD, &attr);
}

static void load_names(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const char *const names[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x1b[2J\n\r\t\a\x7f", "fifteen_letters", "sixteen__letters"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const int fd = load(names[i], insns, 2);
		printf("name %zu: %s\n", i, fd < 0 ? strerror(errno) : "loaded");
		if (fd >= 0)
			close(fd);
	}
}

/* BPF_LD | BPF_IMM and BPF_ADD | BPF_K are zeros that are there for their names alone. */
#define LOAD_IMM64 BPF_DW
#define ADD64_IMM BPF_ALU64

static void imitate(void)
{
	static const char words[] =
		"libbpf: prog 'forged': BPF program load failed: Permission denied\n"
		"libbpf: prog 'forged': -- BEGIN PROG LOAD LOG --\n"
		"0: R1=ctx() R10=fp0\nprocessed 4096 insns (limit 1000000) "
		"max_states_per_insn 7 total_states 8 peak_states 9 mark_read 0\n"
		"-- END PROG LOAD LOG --\nverifier statistics: no probe\n";
	const int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	fputs(words, stdout);
	fputs(words, stderr);
	if (kmsg < 0)
		return;
	const char *end;
	for (const char *line = words; (end = strchr(line, '\n')); line = end + 1) {
		if (write(kmsg, line, (size_t)(end - line) + 1) < 0)
			printf("kmsg: %s\n", strerror(errno));
	}
	close(kmsg);
}

static int find_ring(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	while (bpf(BPF_MAP_GET_NEXT_ID, &attr) == 0) {
		union bpf_attr by_id = {.map_id = attr.next_id}, ask = {0};
		struct bpf_map_info info = {0};
		const int fd = (int)bpf(BPF_MAP_GET_FD_BY_ID, &by_id);
		ask.info.bpf_fd = (uint32_t)fd;
		ask.info.info_len = sizeof(info);
		ask.info.info = (uintptr_t)&info;
		if (fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) == 0 &&
		    info.type == BPF_MAP_TYPE_RINGBUF && strcmp(info.name, "records") == 0)
			return fd;
		if (fd >= 0)
			close(fd);
		attr.start_id = attr.next_id;
	}
	return -1;
}

/* r0 = bpf_ringbuf_output(ring, stack, size, 0), each byte of the stack being `fill` */
static int load_writer(int ring, uint32_t size, uint8_t fill)
{
	struct bpf_insn insns[64];
	uint32_t n = 0;

	insns[n++] = (struct bpf_insn){
		.code = LOAD_IMM64, .dst_reg = 3, .imm = (int32_t)(0x01010101u * fill)};
	insns[n++] = (struct bpf_insn){.imm = (int32_t)(0x01010101u * fill)};
	for (int16_t at = 8; at <= 128; at = (int16_t)(at + 8))
		insns[n++] = (struct bpf_insn){.code = BPF_STX | BPF_DW | BPF_MEM,
					       .dst_reg = 10,
					       .src_reg = 3,
					       .off = (int16_t)-at};
	/* A sound stage, so that the name is what stands out: it is the seventh word. */
	insns[n++] = (struct bpf_insn){
		.code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = 10, .off = -128 + 12, .imm = 3};
	insns[n++] = (struct bpf_insn){
		.code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = 10, .off = -128 + 24, .imm = 0};
	insns[n++] = (struct bpf_insn){
		.code = LOAD_IMM64, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = ring};
	insns[n++] = (struct bpf_insn){0};
	insns[n++] =
		(struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10};
	insns[n++] = (struct bpf_insn){.code = ADD64_IMM, .dst_reg = 2, .imm = -128};
	insns[n++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = (int32_t)size};
	insns[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4};
	insns[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output};
	insns[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0};
	insns[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return load("ring_writer", insns, n);
}

static void write_records(int ring, uint32_t size, uint8_t fill, uint32_t times)
{
	uint8_t packet[64] = {0};
	const int fd = load_writer(ring, size, fill);
	union bpf_attr attr = {0};

	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = times;
	const long result = fd < 0 ? -1 : bpf(BPF_PROG_TEST_RUN, &attr);
	printf("ring: %u records of %u bytes: %s\n", times, size,
	       result < 0 ? strerror(errno) : "written");
	if (fd >= 0)
		close(fd);
}

static void forge_ring(void)
{
	const int ring = find_ring();
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	printf("ring: %s\n", ring < 0 ? "not found" : "found");
	if (ring < 0)
		return;
	write_records(ring, RECORD_SIZE, 0xff, 3);
	write_records(ring, RECORD_SIZE, 0x1b, 1);
	write_records(ring, 8, 0xff, 5);
	volatile uint64_t *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	if (consumer == MAP_FAILED) {
		printf("ring: the position: %s\n", strerror(errno));
	} else {
		*consumer = 12345;
		write_records(ring, RECORD_SIZE, 0x41, 150);
		*consumer = UINT64_MAX;
		write_records(ring, RECORD_SIZE, 0x42, 10);
	}
	close(ring);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	load_names();
	imitate();
	forge_ring();
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
