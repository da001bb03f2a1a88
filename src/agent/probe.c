/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "seal/probe.h"

static void probe_on_wake(struct wake *w, void *data);
static void probe_on_timer(struct timer *t, void *data);

int probe_init(struct probe *p, struct loop *loop, const struct probe_spec *spec,
	       probe_done_fn done, void *arg)
{
	*p = (struct probe){.loop = loop,
			    .fn = spec->fn,
			    .fn_arg = spec->fn_arg,
			    .config = spec->config,
			    .disallowed = spec->disallowed,
			    .required_features = spec->required_features,
			    .disallowed_features = spec->disallowed_features,
			    .threaded = spec->threaded,
			    .done = done,
			    .arg = arg};
	timer_init(&p->timer, loop, probe_on_timer, p);
	return wake_init(&p->wake, loop, probe_on_wake, p);
}

void probe_deinit(struct probe *p)
{
	if (p->running)
		pthread_join(p->thread, NULL);
	p->running = false;
	timer_deinit(&p->timer);
	wake_deinit(&p->wake);
}

static void probe_on_timer(struct timer *t, void *data)
{
	probe_start(data);
}

void probe_set_interval(struct probe *p, uint32_t seconds)
{
	p->interval_ns = seconds * CLOCK_NS_PER_S;
	if (p->interval_ns && !p->running)
		timer_arm_in(&p->timer, p->interval_ns);
}

/* Takes the disallowed formats out of a result and says so. */
static void probe_restrict(const struct probe *p, struct dp_capabilities *c)
{
	static const char *const names[FORMAT_MAX] = FORMAT_NAMES;

	for (int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++) {
		size_t length = strnlen(c->refused, sizeof(c->refused));

		if (!(p->disallowed & c->formats & FORMAT_BIT(f)))
			continue;
		c->formats &= ~FORMAT_BIT(f);
		snprintf(c->refused + length, sizeof(c->refused) - length,
			 "%s%s: disallowed on this host", length ? "; " : "", names[f]);
	}
}

static void probe_end(struct probe *p)
{
	p->ended = true;
	if (p->result_error) {
		snprintf(p->error, sizeof(p->error), "the probe failed: %s",
			 strerrordesc_np(-p->result_error) ?: "unknown error");
		log_err("capabilities cannot be found out", LOG_ERRNO(p->result_error));
	} else {
		const uint32_t before = p->confirmed.formats;

		p->confirmed = p->result;
		p->features =
			p->result_features | (p->result.rate ? FEATURE_BIT(FEATURE_RATE_1) : 0);
		probe_restrict(p, &p->confirmed);
		p->probed_at = clock_wall_ms(loop_clock(p->loop));
		*p->error = '\0';
		if (p->confirmed.formats != before)
			log_info("capabilities found out", LOG_U64("formats", p->confirmed.formats),
				 LOG_STR("refused", p->confirmed.refused));
	}
	if (p->interval_ns)
		timer_arm_in(&p->timer, p->interval_ns);
	p->done(p->arg);
}

static void *probe_thread(void *data)
{
	struct probe *p = data;

	p->result_error = p->fn(p->fn_arg, &p->trying, &p->result);
	p->result_features = seal_probe();
	wake_post(&p->wake);
	return NULL;
}

static void probe_on_wake(struct wake *w, void *data)
{
	struct probe *p = data;

	if (!p->running)
		return;
	pthread_join(p->thread, NULL);
	p->running = false;
	probe_end(p);
	if (p->again) {
		p->again = false;
		probe_start(p);
	}
}

void probe_start(struct probe *p)
{
	int e;

	if (p->running) {
		p->again = true;
		return;
	}
	timer_disarm(&p->timer);
	memset(&p->result, 0, sizeof(p->result));
	p->trying = *p->config;
	if (!p->threaded) {
		p->result_error = p->fn(p->fn_arg, &p->trying, &p->result);
		p->result_features = seal_probe();
		probe_end(p);
		return;
	}
	e = pthread_create(&p->thread, NULL, probe_thread, p);
	if (e) {
		p->result_error = -e;
		probe_end(p);
		return;
	}
	p->running = true;
}

static bool probe_replace(char old[static PROBE_FAULT_SIZE], const char *text)
{
	if (str_equal(old, text))
		return false;
	snprintf(old, PROBE_FAULT_SIZE, "%s", text);
	return true;
}

bool probe_set_fault(struct probe *p, const char *text)
{
	return probe_replace(p->fault, text);
}

bool probe_set_doubt(struct probe *p, const char *text)
{
	return probe_replace(p->doubt, text);
}

const char *probe_error(const struct probe *p)
{
	return *p->fault ? p->fault : *p->error ? p->error : p->doubt;
}

void probe_describe(const struct probe *p, Viaduct__Agent__Capabilities *m)
{
	viaduct__agent__capabilities__init(m);
	m->error = (char *)(uintptr_t)probe_error(p);
	m->stands_by = true;
	m->hands_over = true;
	m->carries_nothing = *p->fault || (!p->probed_at && *p->error);
	if (!p->probed_at)
		return;
	m->formats = p->confirmed.formats;
	m->substrate_mtu = p->confirmed.substrate_mtu;
	m->tcx = p->confirmed.tcx;
	m->tap_uso = p->confirmed.tap_uso;
	m->kernel = (char *)(uintptr_t)p->confirmed.kernel;
	m->refused = (char *)(uintptr_t)p->confirmed.refused;
	m->probed_at = p->probed_at;
	m->version = 1;
	m->features = p->features & ~p->disallowed_features;
	m->required_features = p->required_features;
	m->disallowed_features = p->disallowed_features;
	m->disallowed_formats = p->disallowed;
}
