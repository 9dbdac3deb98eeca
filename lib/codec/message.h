/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Messages to and from CBOR, on libcbor's streaming encoder and decoder. */
#ifndef AVD_LIB_CODEC_MESSAGE_H
#define AVD_LIB_CODEC_MESSAGE_H

#include <attachverdict/message.h>

enum avd__message_status {
	AVD__MESSAGE_OK = 0,
	AVD__MESSAGE_UNKNOWN_KIND = 1, /* sound, with a kind from the future: skip it */
	AVD__MESSAGE_MALFORMED = 2, /* not well-formed CBOR, or bytes after it */
	AVD__MESSAGE_INVALID = 3, /* well-formed, but no message: a wrong type, a key twice,
				     a required field missing, a number out of range, not
				     the deterministic encoding */
};

/* Containers and tags inside one another, the message's own map being the first. */
#define AVD__MESSAGE_DEPTH_MAX 8u

/* Strict: the core deterministic encoding (RFC 8949 section 4.2.1: shortest heads,
 * definite lengths, ascending keys); numbers that fit their field; text strings that
 * are UTF-8. Unknown keys' values are skipped whole.
 * What libcbor's streaming decoder does not know (simple values other than false,
 * true, null, undefined) counts as malformed. The first fault met decides the status.
 * For an unknown kind only kind and time_ns are set; *ret_message is untouched by the
 * other failures. Views point into `bytes`. Takes time linear in `size`. */
enum avd__message_status avd__message_decode(const uint8_t *bytes, size_t size,
					     struct avd_message *ret_message);

/* Encodes into out[0..size). Returns the length, or 0 if it does not fit or the
 * message is not valid: the decoder would refuse it. Known kinds only. Text that is not
 * UTF-8 becomes a byte string, unchanged, so that the stream stays valid CBOR. A strv
 * is taken as encoded items (see avd__strv_put()). */
size_t avd__message_encode(const struct avd_message *message, uint8_t *out, size_t size);

/* Message and frame at once. Returns the frame's size or 0. No frame needs more than
 * AVD__FRAME_MAX. */
size_t avd__message_frame(const struct avd_message *message, uint32_t seq, uint8_t *out,
			  size_t size);

/* Appends one text item to encoded items at out[*len..size) and counts it in *count.
 * Returns 0, or -1 if it does not fit. */
int avd__strv_put(uint8_t *out, size_t size, size_t *len, uint32_t *count, const char *text,
		  size_t text_len);

#endif
