// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image_kit.h"

#include <check.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <lz4hc.h>
#include <lzma.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

static void append(struct avd__buf *buf, const void *bytes, size_t size)
{
	if (avd__buf_append(buf, bytes, size) < 0)
		ck_abort_msg("out of memory");
}

static void align(struct avd__buf *buf, size_t to)
{
	while (buf->len % to)
		append(buf, "", 1);
}

void kit_put16(struct avd__buf *image, size_t offset, unsigned int value)
{
	ck_assert_uint_le(offset + 2, image->len);
	const uint16_t v = (uint16_t)value;
	memcpy(image->data + offset, &v, 2);
}

void kit_put32(struct avd__buf *image, size_t offset, uint32_t value)
{
	ck_assert_uint_le(offset + 4, image->len);
	memcpy(image->data + offset, &value, 4);
}

/* The sections' contents, in the order of the section table. */
enum { S_NULL, S_RODATA, S_NOTES, S_BTF, S_INTERP, S_PADDING, S_NAMES, S_COUNT };
static const char section_names[] = "\0.rodata\0.notes\0.BTF\0.interp\0.data\0.shstrtab";
static const Elf64_Word name_offsets[S_COUNT] = {0, 1, 9, 16, 21, 29, 35};

struct spans {
	size_t offset[S_COUNT];
	size_t size[S_COUNT];
};

static void make_rodata(struct avd__buf *out, const struct kit_vmlinux *what)
{
	/* As in the real thing, a format string that begins like the banner comes first. */
	append(out, "Linux version %s (%s)", 22);
	if (what->release)
		avd__buf_printf(out, "Linux version %s (kit@test) #1 SMP\n", what->release);
	append(out, "", 1);
	if (what->config) {
		struct avd__buf packed =
			kit_pack(AVD__COMPRESSION_GZIP, what->config, strlen(what->config));
		append(out, "IKCFG_ST", 8);
		append(out, packed.data, packed.len);
		append(out, "IKCFG_ED", 9);
		avd__buf_free(&packed);
	}
}

static void make_notes(struct avd__buf *out, const struct kit_vmlinux *what)
{
	const uint32_t gnu[] = {4, 4, 3, 0x554e47, 0x12345678};
	const uint32_t xen[] = {4, 4, 18, 0x6e6558, 0x01000000};
	append(out, gnu, sizeof(gnu));
	if (what->pvh)
		append(out, xen, sizeof(xen));
}

static void make_btf(struct avd__buf *out, const struct kit_vmlinux *what)
{
	const char *strings = what->btf_sched_ext ? "\0task_struct\0sched_ext_ops\0int"
						  : "\0task_struct\0sched_ext_ops_not\0int";
	const uint32_t size = what->btf_sched_ext ? 31 : 35;
	const uint8_t head[] = {0x9f, 0xeb, 1, 0};
	const uint32_t rest[] = {24, 0, 0, 0, size};
	if (!what->btf)
		return;
	append(out, head, sizeof(head));
	append(out, rest, sizeof(rest));
	append(out, strings, size);
}

static void make_padding(struct avd__buf *out, const struct kit_vmlinux *what)
{
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < what->padding; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		append(out, &x, 8);
	}
}

static void write_tables(struct avd__buf *out, const struct kit_vmlinux *what,
			 const struct spans *spans)
{
	const size_t phoff = sizeof(Elf64_Ehdr);
	Elf64_Phdr load = {.p_type = PT_LOAD, .p_offset = 0, .p_filesz = out->len};
	Elf64_Phdr note = {.p_type = PT_NOTE,
			   .p_offset = spans->offset[S_NOTES],
			   .p_filesz = spans->size[S_NOTES]};
	Elf64_Phdr interp = {.p_type = what->interp ? PT_INTERP : PT_NULL,
			     .p_offset = spans->offset[S_INTERP],
			     .p_filesz = spans->size[S_INTERP]};
	memcpy(out->data + phoff, &load, sizeof(load));
	memcpy(out->data + phoff + sizeof(load), &note, sizeof(note));
	memcpy(out->data + phoff + 2 * sizeof(load), &interp, sizeof(interp));
	align(out, 8);
	Elf64_Ehdr ehdr = {.e_type = (Elf64_Half)(what->type ? what->type : ET_EXEC),
			   .e_machine = (Elf64_Half)(what->machine ? what->machine : EM_X86_64),
			   .e_version = EV_CURRENT,
			   .e_phoff = phoff,
			   .e_ehsize = sizeof(ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3};
	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = what->is32 ? ELFCLASS32 : ELFCLASS64;
	ehdr.e_ident[EI_DATA] = what->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	if (what->big_endian)
		ehdr.e_machine = __builtin_bswap16(ehdr.e_machine);
	if (!what->no_sections) {
		ehdr.e_shoff = out->len;
		ehdr.e_shentsize = sizeof(Elf64_Shdr);
		ehdr.e_shnum = S_COUNT;
		ehdr.e_shstrndx = S_NAMES;
	}
	memcpy(out->data, &ehdr, sizeof(ehdr));
	for (int i = 0; i < S_COUNT && !what->no_sections; i++) {
		const Elf64_Shdr shdr = {.sh_name = name_offsets[i],
					 .sh_type = i == S_NULL ? SHT_NULL : SHT_PROGBITS,
					 .sh_offset = spans->offset[i],
					 .sh_size = spans->size[i]};
		append(out, &shdr, sizeof(shdr));
	}
}

struct avd__buf kit_make_vmlinux(const struct kit_vmlinux *what)
{
	static const uint8_t zeros[sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr)];
	struct avd__buf out = {0};
	struct spans spans = {0};
	append(&out, zeros, sizeof(zeros));
	for (int i = S_RODATA; i < S_COUNT; i++) {
		align(&out, 8);
		spans.offset[i] = out.len;
		if (i == S_RODATA)
			make_rodata(&out, what);
		else if (i == S_NOTES)
			make_notes(&out, what);
		else if (i == S_BTF)
			make_btf(&out, what);
		else if (i == S_INTERP)
			append(&out, "/lib64/ld-linux-x86-64.so.2", 28);
		else if (i == S_PADDING)
			make_padding(&out, what);
		else
			append(&out, section_names, sizeof(section_names));
		spans.size[i] = out.len - spans.offset[i];
		/* An absent .BTF has no name either. */
		if (i == S_BTF && !spans.size[i])
			spans.offset[i] = 0;
	}
	write_tables(&out, what, &spans);
	if (!what->btf && !what->no_sections) {
		/* Rename the empty section, so that there is none of that name. */
		char *name = memmem(out.data, out.len, ".BTF", 5);
		ck_assert_ptr_nonnull(name);
		memcpy(name, ".XYZ", 4);
	}
	return out;
}

static size_t pack_zstd(const void *in, size_t size, uint8_t *out, size_t cap)
{
	/* Streamed, as the kernel's build does it: the frame does not tell its size. */
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	ck_assert_ptr_nonnull(ctx);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
	const size_t n = ZSTD_compress2(ctx, out, cap, in, size);
	ZSTD_freeCCtx(ctx);
	ck_assert(!ZSTD_isError(n));
	return n;
}

static size_t pack_lzma(bool alone, const void *in, size_t size, uint8_t *out, size_t cap)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	ck_assert(!lzma_lzma_preset(&options, 1));
	options.dict_size = 1 << 16;
	const lzma_filter filters[] = {
		{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	const lzma_ret r = alone ? lzma_alone_encoder(&stream, &options)
				 : lzma_stream_encoder(&stream, filters, LZMA_CHECK_CRC32);
	ck_assert_int_eq(r, LZMA_OK);
	stream.next_in = in;
	stream.avail_in = size;
	stream.next_out = out;
	stream.avail_out = cap;
	ck_assert_int_eq(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	const size_t n = cap - stream.avail_out;
	lzma_end(&stream);
	return n;
}

static size_t pack_gzip(const void *in, size_t size, uint8_t *out, size_t cap)
{
	z_stream stream = {0};
	ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (z_const Bytef *)in;
	stream.avail_in = (uInt)size;
	stream.next_out = out;
	stream.avail_out = (uInt)cap;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	const size_t n = cap - stream.avail_out;
	deflateEnd(&stream);
	return n;
}

/* The legacy format of lz4 -l: blocks of 8 MiB. */
static size_t pack_lz4(const uint8_t *in, size_t size, uint8_t *out, size_t cap)
{
	static const uint8_t magic[] = {0x02, 0x21, 0x4c, 0x18};
	size_t n = sizeof(magic);
	memcpy(out, magic, n);
	for (size_t at = 0; at < size;) {
		const size_t block = size - at < ((size_t)8 << 20) ? size - at : (size_t)8 << 20;
		const int got =
			LZ4_compress_HC((const char *)in + at, (char *)out + n + 4, (int)block,
					(int)(cap - n - 4), LZ4HC_CLEVEL_DEFAULT);
		ck_assert_int_gt(got, 0);
		const uint32_t head = (uint32_t)got;
		memcpy(out + n, &head, 4);
		n += 4 + head;
		at += block;
	}
	return n;
}

struct avd__buf kit_pack(enum avd__compression compression, const void *bytes, size_t size)
{
	struct avd__buf out = {0};
	const size_t cap = size + size / 8 + 4096;
	uint8_t *packed = malloc(cap);
	size_t n = 0;
	ck_assert_ptr_nonnull(packed);
	switch (compression) {
	case AVD__COMPRESSION_ZSTD:
		n = pack_zstd(bytes, size, packed, cap);
		break;
	case AVD__COMPRESSION_XZ:
	case AVD__COMPRESSION_LZMA:
		n = pack_lzma(compression == AVD__COMPRESSION_LZMA, bytes, size, packed, cap);
		break;
	case AVD__COMPRESSION_GZIP:
		n = pack_gzip(bytes, size, packed, cap);
		break;
	case AVD__COMPRESSION_LZ4:
		n = pack_lz4(bytes, size, packed, cap);
		break;
	case AVD__COMPRESSION_LZO:
		n = 64;
		memset(packed, 0, n);
		memcpy(packed, "\x89LZO\0\r\n\x1a\n", 9);
		break;
	case AVD__COMPRESSION_BZIP2:
		n = 64;
		memset(packed, 0, n);
		memcpy(packed, "BZh9", 4);
		break;
	case AVD__COMPRESSION_NONE:
	case AVD__COMPRESSION_UNKNOWN:
		n = size;
		memcpy(packed, bytes, size);
		break;
	}
	append(&out, packed, n);
	free(packed);
	return out;
}

#define SETUP_SECTS 3u
#define SETUP_SIZE ((SETUP_SECTS + 1) * 512)
#define PAYLOAD_AT (KIT_PAYLOAD_AT - SETUP_SIZE)
#define RELEASE_AT 0x400u

struct avd__buf kit_make_bzimage(const char *release, enum avd__compression compression,
				 const struct avd__buf *vmlinux)
{
	struct avd__buf out = {0};
	char zeros[SETUP_SIZE + PAYLOAD_AT] = {0};
	append(&out, zeros, sizeof(zeros));
	struct avd__buf packed = kit_pack(compression, vmlinux->data, vmlinux->len);
	append(&out, packed.data, packed.len);
	const uint32_t size = (uint32_t)vmlinux->len;
	if (compression != AVD__COMPRESSION_GZIP)
		append(&out, &size, 4);
	const size_t payload = out.len - sizeof(zeros);
	align(&out, 16);
	avd__buf_free(&packed);
	out.data[0x1f1] = SETUP_SECTS;
	kit_put32(&out, 0x1f4, (uint32_t)((out.len - SETUP_SIZE) / 16));
	kit_put16(&out, 0x1fe, 0xaa55);
	memcpy(out.data + 0x202, "HdrS", 4);
	kit_put16(&out, 0x206, 0x020f);
	kit_put16(&out, 0x20e, RELEASE_AT - 0x200);
	out.data[0x211] = 1;
	kit_put16(&out, 0x236, 0x7f);
	kit_put32(&out, 0x248, PAYLOAD_AT);
	kit_put32(&out, 0x24c, (uint32_t)payload);
	snprintf(out.data + RELEASE_AT, 256, "%s (kit@test) #1 SMP PREEMPT_DYNAMIC", release);
	return out;
}

struct avd__buf kit_bzimage(enum avd__compression compression)
{
	const struct kit_vmlinux what = {
		.release = KIT_RELEASE, .pvh = true, .btf = true, .btf_sched_ext = true};
	struct avd__buf vmlinux = kit_make_vmlinux(&what);
	struct avd__buf image = kit_make_bzimage(KIT_RELEASE, compression, &vmlinux);
	avd__buf_free(&vmlinux);
	return image;
}

char *kit_make_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = NULL;
	ck_assert_int_ge(asprintf(&dir, "%s/avd-image-XXXXXX", base ? base : "/tmp"), 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void kit_remove_dir(char *dir)
{
	ck_assert_int_eq(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(dir);
}

const char *kit_path(const char *dir, const char *name)
{
	static char ring[8][4096];
	static unsigned int next;
	char *out = ring[next++ % 8];
	snprintf(out, sizeof(ring[0]), "%s/%s", dir, name);
	return out;
}

void kit_write(const char *path, const void *bytes, size_t size)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(avd__write_all(fd, bytes, size), 0);
	close(fd);
}

struct avd__buf kit_read_fd(int fd)
{
	struct avd__buf out = {0};
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	char *bytes = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(avd__pread_all(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	append(&out, bytes, (size_t)st.st_size);
	free(bytes);
	return out;
}

struct avd__buf kit_read(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	struct avd__buf out = kit_read_fd(fd);
	close(fd);
	return out;
}

unsigned int kit_count_files(const char *path)
{
	unsigned int count = 0;
	DIR *dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *item; (item = readdir(dir));)
		count += strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
	closedir(dir);
	return count;
}

unsigned int kit_count_fds(void)
{
	return kit_count_files("/proc/self/fd");
}

void kit_check_message(const char *message, const char *path)
{
	const size_t len = strlen(message);
	if (!len || !strstr(message, path) || strchr(message, '\n') || message[len - 1] == '.')
		ck_abort_msg("\"%s\" is not one line that names %s", message, path);
}

int kit_wait(pid_t child)
{
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int kit_in_namespace(const char *const *covered, int (*body)(void))
{
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid)
		return kit_wait(pid);
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(KIT_SKIP);
	for (; *covered; covered++) {
		if (mount("none", *covered, "tmpfs", 0, "") < 0)
			_exit(KIT_SKIP);
	}
	_exit(body());
}
