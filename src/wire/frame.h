/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the agent protocol: a 32-bit big-endian size and one Frame of that many bytes
 * (abi/agent.proto says what is in it).
 *
 * The decoder works on bytes that came from a peer and trusts none of them: a record above
 * LIMIT_WIRE_FRAME_SIZE, one that does not decode, and one whose decoded form would need more than
 * LIMIT_WIRE_DECODE_SIZE bytes are refused.  It owns one arena that every record re-uses, so that
 * decoding costs no allocation once it has warmed up.
 *
 * Threading: a decoder belongs to one thread.  Frames are the generated protobuf-c types.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	FRAME_HEADER_SIZE = 4,
};

/* Appends 'frame' as a record.  Returns 0; -EMSGSIZE when it is above LIMIT_WIRE_FRAME_SIZE or what
 * 'out' may hold; -ENOMEM.  On failure 'out' has its old content and no error. */
must_check int frame_pack(struct buf *out, const Viaduct__Agent__Frame *frame);

struct frame_decoder;

must_check int frame_decoder_new(struct frame_decoder **ret);
struct frame_decoder *frame_decoder_free(struct frame_decoder *decoder); /* returns NULL */

/* Looks at the record that 'data' begins with.  Returns 0 and the record's size, header included,
 * in '*ret_size' (which may be more than 'size': the rest has not come yet); -EAGAIN when even the
 * header is incomplete; -EMSGSIZE when the record is too large to be accepted. */
must_check int frame_measure(const uint8_t *data, size_t size, size_t *ret_size);

/* Decodes the body of one record ('data' points behind the header).  Returns 0 and a frame that the
 * decoder owns and that lives until the next call; -EBADMSG when it does not decode; -ENOMEM when
 * its decoded form is too large. */
must_check int frame_decode(struct frame_decoder *decoder, const uint8_t *data, size_t size,
			    const Viaduct__Agent__Frame **ret_frame);

/* The short name of a frame's body, for logs: "hello", "desired"; "unknown" for a newer one. */
const char *frame_name(const Viaduct__Agent__Frame *frame);
