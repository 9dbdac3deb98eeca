/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What every other public header stands on: symbol visibility, versions, views
 * of bytes, and the log callback.
 *
 * Conventions of the whole interface:
 *  - Functions return 0 (or a count) on success and a negative errno on failure.
 *    The handle that was used keeps a message of its last error.
 *  - Outputs come last, are named ret_*, and stay untouched on failure.
 *  - A verdict is data, never an error code.
 *  - Options are structs whose first member is their size in bytes. Set it with
 *    AVD_OPTIONS_INIT (or memset and sizeof). A smaller, older struct works; a
 *    larger, newer one must be zero in what this library does not know, or the
 *    call fails with -E2BIG.
 *  - The library does not print, exit, install signal handlers or keep state of
 *    the process. Distinct handles may be used from distinct threads at the same
 *    time; one handle is used by one thread at a time unless a function says
 *    otherwise.
 */
#ifndef ATTACHVERDICT_BASE_H
#define ATTACHVERDICT_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVD_VERSION_MAJOR 0
#define AVD_VERSION_MINOR 1
#define AVD_VERSION_PATCH 0

#if defined(__GNUC__)
#define AVD_API __attribute__((visibility("default")))
#define AVD_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define AVD_API
#define AVD_PRINTF(fmt, first)
#endif

/* Initializer for an options struct: everything zero, its size known. */
#ifdef __cplusplus
extern "C++" { /* also where a caller's extern "C" surrounds this header */
template <typename Options> inline Options avd_options_init()
{
	Options options = Options(); /* a partial initializer would make compilers warn */
	options.size = sizeof(Options);
	return options;
}
}
#define AVD_OPTIONS_INIT(type) avd_options_init<type>()
#else
#define AVD_OPTIONS_INIT(type)       \
	{                            \
		.size = sizeof(type) \
	}
#endif

/* A view of text: not terminated by NUL, not owned, may hold any byte when it
 * comes from the guest. */
struct avd_str {
	const char *data;
	size_t len;
};

/* A view of bytes, not owned. */
struct avd_bytes {
	const uint8_t *data;
	size_t len;
};

enum avd_log_level {
	AVD_LOG_ERROR = 0,
	AVD_LOG_WARNING = 1,
	AVD_LOG_INFO = 2,
	AVD_LOG_DEBUG = 3,
};

/* Called with one line without a line end. `text` is valid during the call
 * only. May be called from any thread that works for the handle. Since 0.1. */
typedef void (*avd_log_fn)(void *userdata, enum avd_log_level level, const char *text);

/* The version of the library in use, "0.1.0". Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_version(void);

/* What the library in use was built with, for reports of faults: lists with a name, separated by
 * "; ", such as "machines kvm qemu; init with libbpf 1.4.6". Readers skip lists that they do not
 * know. Static storage. Thread-safe. Since 0.1. */
AVD_API const char *avd_features(void);

/* A duration or a size as attachverdict's options have it: a whole number above 0 with its unit,
 * and nothing else: ms, s, m or min, h; K or KiB, M or MiB, G or GiB (powers of 1024). -EINVAL: it
 * is none; -ERANGE: it does not fit. Thread-safe. Since 0.1. */
AVD_API int avd_parse_duration(const char *text, uint64_t *ret_ms);
AVD_API int avd_parse_size(const char *text, uint64_t *ret_bytes);

/* The index of the word that the text is; one that is empty or NULL has an index without a meaning.
 * -EINVAL: it is none of them; `list` (may be NULL) then names them for a message, "A, B or C", cut
 * to fit. Thread-safe. Since 0.1. */
AVD_API int avd_parse_word(const char *text, const char *const *words, size_t count,
			   uint32_t *ret_index, char *list, size_t list_size);

/* Releases memory that a function of this library handed out as "free it with
 * avd_free()". NULL is ignored. Thread-safe. Since 0.1. */
AVD_API void avd_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
