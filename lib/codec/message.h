/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Messages to and from CBOR, on libcbor's streaming encoder and decoder. */
#ifndef AVD_LIB_CODEC_MESSAGE_H
#define AVD_LIB_CODEC_MESSAGE_H

#include <attachverdict/message.h>

enum avd__message_status {
	AVD__MESSAGE_OK = 0,
	AVD__MESSAGE_UNKNOWN_KIND = 1, /* sound CBOR with a kind from the future: skip it */
	AVD__MESSAGE_MALFORMED = 2, /* not well-formed CBOR, or bytes after it */
	AVD__MESSAGE_INVALID = 3, /* well-formed, but no message: a wrong type, a key twice,
				     a required field missing, a number out of range */
};

/* Strict: definite lengths only, keys unsigned and unique, integers that fit their field,
 * nesting no deeper than AVD__MESSAGE_DEPTH_MAX (unknown keys' values are skipped whole). */
#define AVD__MESSAGE_DEPTH_MAX 8u
enum avd__message_status avd__message_decode(const uint8_t *bytes, size_t size,
					     struct avd_message *ret_message);

/* Encodes into out[0..size). Returns the length, or 0 if it does not fit or the
 * message is not valid. Known kinds only. A strv is taken as encoded items
 * (see avd__strv_put()). */
size_t avd__message_encode(const struct avd_message *message, uint8_t *out, size_t size);

/* Message and frame at once. Returns the frame's size or 0. */
size_t avd__message_frame(const struct avd_message *message, uint32_t seq, uint8_t *out,
			  size_t size);

/* Appends one text item to encoded items at out[*len..size) and counts it in *count.
 * Returns 0, or -1 if it does not fit. */
int avd__strv_put(uint8_t *out, size_t size, size_t *len, uint32_t *count, const char *text,
		  size_t text_len);

#endif
