/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/convert.h"

#include <stdlib.h>
#include <string.h>

#include "abi/substrate.h"
#include "base/str.h"

bool convert_vni_is_valid(uint32_t vni)
{
	return vni >= 1 && vni <= CONVERT_VNI_MAX;
}

bool convert_handle_is_valid(uint32_t handle)
{
	return handle >= SUBSTRATE_VNI_HANDLE_MIN && handle <= SUBSTRATE_VNI_HANDLE_MAX;
}

int convert_addr(const ProtobufCBinaryData *b, struct ipaddr *ret)
{
	if (b->len != sizeof(ret->b))
		return -EINVAL;
	memcpy(ret->b, b->data, sizeof(ret->b));
	return 0;
}

int convert_optional_addr(const ProtobufCBinaryData *b, struct ipaddr *ret)
{
	if (b->len)
		return convert_addr(b, ret);
	*ret = (struct ipaddr){0};
	return 0;
}

int convert_prefix(const ProtobufCBinaryData *b, uint32_t len, struct prefix *ret)
{
	struct ipaddr addr;
	struct prefix p;

	if (len < 1 || len > 128 || convert_addr(b, &addr))
		return -EINVAL;
	p = prefix_make(&addr, (uint8_t)len);
	if (!ipaddr_equal(&p.addr, &addr))
		return -EINVAL;
	*ret = p;
	return 0;
}

int convert_any_prefix(const ProtobufCBinaryData *b, uint32_t len, struct prefix *ret)
{
	struct ipaddr addr;

	if (len)
		return convert_prefix(b, len, ret);
	if (convert_addr(b, &addr) || !ipaddr_is_zero(&addr))
		return -EINVAL;
	*ret = (struct prefix){0};
	return 0;
}

int convert_locator(const ProtobufCBinaryData *b, uint8_t len, struct prefix *ret)
{
	if (b->len)
		return convert_prefix(b, len, ret);
	*ret = (struct prefix){0};
	return 0;
}

int convert_mac(const ProtobufCBinaryData *b, struct mac *ret)
{
	static const struct mac zero;
	struct mac m;

	if (b->len != sizeof(m.b))
		return -EINVAL;
	memcpy(m.b, b->data, sizeof(m.b));
	if (m.b[0] & 1 || mac_equal(&m, &zero))
		return -EINVAL;
	*ret = m;
	return 0;
}

int convert_id(const char *id, char ret[static DRIVER_ID_SIZE])
{
	if (!driver_id_is_valid(id))
		return -EINVAL;
	return str_copy(ret, DRIVER_ID_SIZE, id) ? -EINVAL : 0;
}

int convert_name(const char *name, char *ret, size_t size)
{
	size_t length = strnlen(name, size);

	if (length < size) {
		memcpy(ret, name, length + 1);
		return 0;
	}
	memcpy(ret, name, size - 1);
	ret[size - 1] = '\0';
	return -EINVAL;
}

ProtobufCBinaryData convert_bytes(const struct ipaddr *a)
{
	return (ProtobufCBinaryData){.len = sizeof(a->b), .data = (uint8_t *)(uintptr_t)a->b};
}

uint64_t convert_policy(const char *id)
{
	const char *digits = strchr(id, '-');
	char *end = NULL;
	uint64_t number = digits ? strtoull(digits + 1, &end, 16) : 0;

	return digits && digits[1] && !*end ? number : 0;
}
