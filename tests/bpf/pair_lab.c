/* SPDX-License-Identifier: Apache-2.0 */
#include "pair_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void pair_lab_init(struct pair_lab *p, enum format format)
{
	lab_init(&p->lab, format);
	lab_subnet(&p->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&p->lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
	p->a = lab_node(&p->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	p->b = lab_node(&p->lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	lab_map(&p->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&p->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
}

void pair_assert_accepted(const struct pair_lab *p, const struct frame *f)
{
	struct frame out;
	int verdict = frame_from_wire(&p->lab, 1, f, &out);

	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&p->lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	assert_memory_equal(out.b, p->b->port.mac.b, 6);
}

void pair_assert_dropped(const struct pair_lab *p, const struct frame *f, uint32_t reason)
{
	frame_assert_dropped_from_wire(&p->lab, 1, 0, f, reason);
}

void pair_assert_dropped_at_port(const struct pair_lab *p, const struct frame *f, uint32_t reason)
{
	frame_assert_dropped_from_wire(&p->lab, 1, p->b->port.id, f, reason);
}
