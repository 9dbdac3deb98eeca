// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/unpack.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* The kernel packs xz with a dictionary of 128 MiB at most (scripts/xz_wrap.sh); the
 * decoder needs that and a little more. */
#define XZ_MEMORY_MAX (UINT64_C(256) << 20)

/* Each block of a legacy lz4 stream unpacks to this much at most (lib/decompress_unlz4.c:
 * LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE). */
#define LZ4_BLOCK_MAX ((size_t)8 << 20)
#define LZ4_LEGACY_MAGIC UINT32_C(0x184c2102)

static const struct {
	enum avd__compression compression;
	uint8_t size;
	uint8_t magic[9];
} magics[] = {
	{AVD__COMPRESSION_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
	{AVD__COMPRESSION_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
	{AVD__COMPRESSION_GZIP, 2, {0x1f, 0x8b}},
	{AVD__COMPRESSION_LZ4, 4, {0x02, 0x21, 0x4c, 0x18}},
	{AVD__COMPRESSION_LZMA, 3, {0x5d, 0x00, 0x00}},
	{AVD__COMPRESSION_LZO, 9, {0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n'}},
	{AVD__COMPRESSION_BZIP2, 3, {'B', 'Z', 'h'}},
	{AVD__COMPRESSION_NONE, 4, {0x7f, 'E', 'L', 'F'}},
};

enum avd__compression avd__compression_detect(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (size >= magics[i].size && !memcmp(bytes, magics[i].magic, magics[i].size))
			return magics[i].compression;
	}
	return AVD__COMPRESSION_UNKNOWN;
}

const char *avd__compression_name(enum avd__compression compression)
{
	switch (compression) {
	case AVD__COMPRESSION_NONE:
		return "none";
	case AVD__COMPRESSION_ZSTD:
		return "zstd";
	case AVD__COMPRESSION_XZ:
		return "xz";
	case AVD__COMPRESSION_GZIP:
		return "gzip";
	case AVD__COMPRESSION_LZ4:
		return "lz4";
	case AVD__COMPRESSION_LZMA:
		return "lzma";
	case AVD__COMPRESSION_LZO:
		return "lzo";
	case AVD__COMPRESSION_BZIP2:
		return "bzip2";
	case AVD__COMPRESSION_UNKNOWN:
		break;
	}
	return "unknown";
}

static int unpack_zstd(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		       size_t *ret_size)
{
	/* One call: the output itself is the window, so no window limit applies. */
	const size_t n = ZSTD_decompress(out, out_size, in, in_size);
	if (ZSTD_isError(n)) {
		switch (ZSTD_getErrorCode(n)) {
		case ZSTD_error_memory_allocation:
			return -ENOMEM;
		case ZSTD_error_dstSize_tooSmall:
			return -EFBIG;
		default:
			return -EBADMSG;
		}
	}
	*ret_size = n;
	return 0;
}

static int unpack_lzma(bool alone, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		       size_t *ret_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret r = alone ? lzma_alone_decoder(&stream, XZ_MEMORY_MAX)
			   : lzma_stream_decoder(&stream, XZ_MEMORY_MAX, 0);
	if (r != LZMA_OK)
		return r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
	stream.next_in = in;
	stream.avail_in = in_size;
	stream.next_out = out;
	stream.avail_out = out_size;
	do {
		r = lzma_code(&stream, LZMA_FINISH);
	} while (r == LZMA_OK);
	const size_t left_in = stream.avail_in;
	const size_t left_out = stream.avail_out;
	lzma_end(&stream);
	if (r == LZMA_STREAM_END && !left_in) {
		*ret_size = out_size - left_out;
		return 0;
	}
	if (r == LZMA_MEM_ERROR)
		return -ENOMEM;
	return r == LZMA_BUF_ERROR && !left_out && left_in ? -EFBIG : -EBADMSG;
}

static int unpack_gzip(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		       size_t *ret_size)
{
	z_stream stream = {0};
	if (in_size > UINT_MAX || out_size > UINT_MAX)
		return -EFBIG;
	if (inflateInit2(&stream, 15 + 16) != Z_OK) /* 16: a gzip header is expected */
		return -ENOMEM;
	stream.next_in = (z_const Bytef *)in;
	stream.avail_in = (uInt)in_size;
	stream.next_out = out;
	stream.avail_out = (uInt)out_size;
	const int r = inflate(&stream, Z_FINISH);
	const bool full = stream.avail_out == 0;
	const bool rest = stream.avail_in != 0;
	const size_t size = out_size - stream.avail_out;
	inflateEnd(&stream);
	if (r == Z_STREAM_END && !rest) {
		*ret_size = size;
		return 0;
	}
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return r == Z_BUF_ERROR && full && rest ? -EFBIG : -EBADMSG;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int unpack_lz4(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		      size_t *ret_size)
{
	size_t at = 4;
	size_t done = 0;
	while (at < in_size) {
		if (in_size - at < 4)
			return -EBADMSG;
		const uint32_t block = le32(in + at);
		at += 4;
		if (block == LZ4_LEGACY_MAGIC) /* streams may be joined */
			continue;
		if (block == 0 || block > in_size - at || block > INT_MAX)
			return -EBADMSG;
		if (done == out_size)
			return -EFBIG;
		const size_t room = out_size - done;
		const size_t cap = room < LZ4_BLOCK_MAX ? room : LZ4_BLOCK_MAX;
		const int n = LZ4_decompress_safe((const char *)in + at, (char *)out + done,
						  (int)block, (int)cap);
		if (n < 0)
			return -EBADMSG;
		done += (size_t)n;
		at += block;
	}
	*ret_size = done;
	return 0;
}

int avd__unpack(enum avd__compression compression, const uint8_t *in, size_t in_size, uint8_t *out,
		size_t out_size, size_t *ret_size)
{
	switch (compression) {
	case AVD__COMPRESSION_NONE:
		if (in_size > out_size)
			return -EFBIG;
		memcpy(out, in, in_size);
		*ret_size = in_size;
		return 0;
	case AVD__COMPRESSION_ZSTD:
		return unpack_zstd(in, in_size, out, out_size, ret_size);
	case AVD__COMPRESSION_XZ:
		return unpack_lzma(false, in, in_size, out, out_size, ret_size);
	case AVD__COMPRESSION_LZMA:
		return unpack_lzma(true, in, in_size, out, out_size, ret_size);
	case AVD__COMPRESSION_GZIP:
		return unpack_gzip(in, in_size, out, out_size, ret_size);
	case AVD__COMPRESSION_LZ4:
		return unpack_lz4(in, in_size, out, out_size, ret_size);
	case AVD__COMPRESSION_LZO:
	case AVD__COMPRESSION_BZIP2:
	case AVD__COMPRESSION_UNKNOWN:
		break;
	}
	return -EOPNOTSUPP;
}
