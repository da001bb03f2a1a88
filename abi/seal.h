/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Sealed packets: what the programs and the sealing worker (src/seal) tell each other about them,
 * and what is fixed on the wire (docs/substrate.md, "Sealed").
 *
 * The programs hand a packet, with its format written, to the sealing device with a note in its MAC
 * fields: which class of traffic it is, and so with which features and key.  What the worker has
 * opened comes back on that device with a note that says which peer's key it was and what the seal
 * was in fact; the programs ask whether that was chosen.
 *
 * On the wire a sealed packet is a UDP datagram to port 1000 with a PSP header (PSP Architecture
 * Specification, "PSP Header"), the payload and a tag.  The SPI is the sender's host number, the
 * cipher and the epoch of its key, and a bit: the transport checksum inside is left to the
 * receiver, as between a virtual machine and its host, because the tag covers more than it.
 */
#pragma once

#include <linux/types.h>

#include "abi/feature.h"

enum {
	SEAL_PORT = 1000,
	SEAL_HEADER_SIZE = 16,
	SEAL_TAG_SIZE = 16,
	SEAL_UDP_SIZE = 8,
	SEAL_NONCE_AT = 4, /* SPI and IV of the header are the nonce */
	SEAL_NONCE_SIZE = 12,
	SEAL_KEY_SIZE = 32, /* at most */
	/* What a tunnel has inside the seal: UDP, VXLAN and Ethernet headers. */
	SEAL_TUNNEL_SIZE = 8 + 8 + 14,
	/* What sealing adds is SUBSTRATE_OVERHEAD_SEAL_*; less to what has an outer IP header
	 * already, SUBSTRATE_OVERHEAD_VXLAN_*. */
	SEAL_OVERHEAD_TUNNEL = SEAL_UDP_SIZE + SEAL_HEADER_SIZE + SEAL_TAG_SIZE,
	SEAL_SPI_PARTIAL = 1, /* the transport checksum is not complete */
	SEAL_SPI_EPOCH_SHIFT = 1,
	SEAL_SPI_CIPHER_SHIFT = 16,
	SEAL_SPI_SENDER_SHIFT = 18,
	SEAL_SPI_EPOCHS = 1 << 15, /* hours: years before one comes again, for another key */
};

/* What a seal is in fact.  The numbers are in notes and in dp_peer_copy.accept. */
enum seal_cipher {
	SEAL_CLEAR = 0,
	SEAL_AES_128_GCM = 1,  /* crypt/1, PSP version 0 */
	SEAL_AES_256_GCM = 2,  /* crypt/2, PSP version 1 */
	SEAL_AES_128_GMAC = 3, /* integrity/1, and lz4/1 without crypt: PSP version 2 */
	SEAL_CIPHERS,
};

/* The cipher of a choice.  lz4 alone has a tag too: PSP has no version without one. */
static inline __attribute__((always_inline, unused)) enum seal_cipher seal_cipher_of(__u32 features)
{
	if (features & FEATURE_BIT(FEATURE_CRYPT_2))
		return SEAL_AES_256_GCM;
	if (features & FEATURE_BIT(FEATURE_CRYPT_1))
		return SEAL_AES_128_GCM;
	return features & FEATURES_PAYLOAD ? SEAL_AES_128_GMAC : SEAL_CLEAR;
}

static inline __attribute__((always_inline, unused)) __u32
seal_spi(__u32 sender, enum seal_cipher cipher, __u64 epoch)
{
	return sender << SEAL_SPI_SENDER_SHIFT | (__u32)cipher << SEAL_SPI_CIPHER_SHIFT |
	       (__u32)(epoch % SEAL_SPI_EPOCHS) << SEAL_SPI_EPOCH_SHIFT;
}

static inline __attribute__((always_inline, unused)) enum seal_cipher seal_spi_cipher(__u32 spi)
{
	return (enum seal_cipher)(spi >> SEAL_SPI_CIPHER_SHIFT & (SEAL_CIPHERS - 1));
}

/*
 * What is accepted from a peer: for each cipher eight bits of formats, those in the clear lowest,
 * so that FORMAT_BIT() tests as before.  No format has bit 0: there it says that lz4 may be used.
 */
enum {
	SEAL_ACCEPT_SHIFT = 8,
	SEAL_ACCEPT_LZ4 = 1 << 0,
};

/* In the MAC fields of a frame on the sealing device. */
enum {
	SEAL_NOTE_MAGIC = 0x0a,  /* locally administered, unicast */
	SEAL_NOTE_SUBSTRATE = 0, /* an IPv6 packet of the substrate */
	SEAL_NOTE_TUNNEL = 1,    /* what VXLAN carries, for network 'vni' */
	SEAL_NOTE_LZ4 = 1 << 7,  /* in 'seal': it was compressed */
};

struct seal_note {
	__u8 magic;
	__u8 kind;
	__u8 vni[3];
	__u8 tos;
	__u8 seal; /* coming back: enum seal_cipher and SEAL_NOTE_LZ4 */
	__u8 pad;
	__u8 id[4]; /* big endian: going out the class, coming back the number of the peer */
};

_Static_assert(sizeof(struct seal_note) == 12, "a note is two MAC addresses");
