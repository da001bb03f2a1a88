/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/psp.h"

#include <endian.h>
#include <string.h>

enum {
	PSP_EXTENSION_LENGTH = 1, /* in units of 8 bytes, the first 8 not counted */
	PSP_RESERVED = 0xc0,
	PSP_CRYPT_OFFSET = 0x3f,
	PSP_VERSION_SHIFT = 2,
	PSP_VERSION = 0x0f,
	PSP_COOKIE = 1 << 1,
	PSP_ONE = 1 << 0,
};

void psp_write(const struct psp *p, uint8_t ret[static SEAL_HEADER_SIZE])
{
	uint32_t spi = htobe32(p->spi);
	uint64_t iv = htobe64(p->iv);

	ret[0] = p->next;
	ret[1] = PSP_EXTENSION_LENGTH;
	ret[2] = 0;
	ret[3] = (uint8_t)((p->cipher - SEAL_AES_128_GCM) << PSP_VERSION_SHIFT | PSP_ONE);
	memcpy(ret + 4, &spi, 4);
	memcpy(ret + 8, &iv, 8);
}

enum drop_reason psp_read(const uint8_t *datagram, size_t size, struct psp *ret)
{
	unsigned int version;
	uint32_t spi;
	uint64_t iv;

	if (size <= SEAL_HEADER_SIZE + SEAL_TAG_SIZE || !(datagram[3] & PSP_ONE) ||
	    datagram[2] & PSP_RESERVED)
		return DROP_MALFORMED;
	version = datagram[3] >> PSP_VERSION_SHIFT & PSP_VERSION;
	if (version > SEAL_AES_128_GMAC - SEAL_AES_128_GCM || datagram[3] & PSP_COOKIE ||
	    datagram[1] != PSP_EXTENSION_LENGTH || datagram[2] & PSP_CRYPT_OFFSET)
		return DROP_STATEMENT;
	memcpy(&spi, datagram + 4, 4);
	memcpy(&iv, datagram + 8, 8);
	*ret = (struct psp){
		.next = datagram[0],
		.cipher = (enum seal_cipher)(version + SEAL_AES_128_GCM),
		.spi = be32toh(spi),
		.iv = be64toh(iv),
	};
	return DROP_NONE;
}
