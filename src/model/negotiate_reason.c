/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a choice is what it is, for people.  See negotiate_reason.h.
 */
#include "model/negotiate_reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/id.h"

enum { NAME_SHOWN = 40 };

/* The beginning of a name. */
static const char *shown(const char *name, char buf[static NAME_SHOWN + 1])
{
	size_t n = name ? strnlen(name, NAME_SHOWN) : 0;

	memcpy(buf, name ? name : "", n);
	buf[n] = '\0';
	return buf;
}

/* Adds to the reason; what does not fit is cut. */
static void __attribute__((format(printf, 3, 4)))
say(struct wish *w, size_t *used, const char *format, ...)
{
	va_list args;
	int n;

	if (*used >= sizeof(w->reason))
		return;
	va_start(args, format);
	n = vsnprintf(w->reason + *used, sizeof(w->reason) - *used, format, args);
	va_end(args);
	if (n > 0)
		*used += (size_t)n;
}

/* The same for each of the texts, up to a NULL, and quicker: each peer of each host is told a
 * reason. */
static void say_texts(struct wish *w, size_t *used, const char *const *texts)
{
	for (; *texts; texts++)
		for (const char *c = *texts; *c; c++, ++*used)
			if (*used < sizeof(w->reason) - 1)
				w->reason[*used] = *c;
	w->reason[*used < sizeof(w->reason) ? *used : sizeof(w->reason) - 1] = '\0';
}

static void say_policy(struct wish *w, size_t *used, const char *before, struct policy_ref p)
{
	char id[ID_TEXT_SIZE];

	char name[NAME_SHOWN + 1];

	if (!p.id)
		return;
	id_text_prefixed(ID_PREFIX_CHOICE_POLICY, p.id, id);
	say_texts(w, used, (const char *const[]){before, id, " (", shown(p.name, name), ")", NULL});
}

static void say_has(struct wish *w, size_t *used, const struct side *s, const struct lack *lack)
{
	char text[FORMAT_LIST_SIZE], features[FEATURE_LIST_SIZE];
	uint32_t usable = ability_usable(s->ability);

	if (s->ability->fault)
		say(w, used, "%.*s has nothing: %s", NAME_SHOWN, s->name, s->ability->fault);
	else if (lack && !lack->formats && !lack->unsealed)
		say(w, used, "%.*s has %s", NAME_SHOWN, s->name,
		    feature_list(s->ability->features, features));
	else
		say(w, used, "%.*s has %s (%s)", NAME_SHOWN, s->name, format_list(usable, text),
		    ability_families(s->ability));
}

/* What policies took away of what both would have had. */
static void say_cuts(struct wish *w, size_t *used, const struct side *from, const struct side *to,
		     const struct demand *d)
{
	uint32_t formats = ability_usable(from->ability) & ability_usable(to->ability);
	uint32_t features = from->ability->features & to->ability->features;

	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (formats & d->cut_formats & FORMAT_BIT(f)) {
			say(w, used, "; %s is taken away by ", format_name(f));
			say_policy(w, used, "", d->format_cut_by[f]);
		}
	for (enum feature f = 0; f < FEATURE_MAX; f++)
		if (features & d->cut_features & FEATURE_BIT(f)) {
			say(w, used, "; %s is taken away by ", feature_name(f));
			say_policy(w, used, "", d->feature_cut_by[f]);
		}
}

static const char *framework_text(enum feature_framework f)
{
	static const char *const texts[FEATURE_FRAMEWORKS] = {
		[FEATURE_CRYPT] = "crypt",
		[FEATURE_INTEGRITY] = "integrity",
		[FEATURE_LZ4] = "lz4",
		[FEATURE_RATE] = "rate",
	};

	return texts[f];
}

static void say_who_needs(struct wish *w, size_t *used, const struct side *from,
			  const struct side *to, const struct demand *d, enum feature_framework f)
{
	uint32_t versions = framework_features(f);

	if (d->pin_features[f].n)
		say_policy(w, used, ", which is pinned by ", d->pin_features[f].policy);
	else if (d->required_features & versions)
		say_policy(w, used, ", which is required by ", d->required_by[f]);
	else
		say(w, used, ", which %.*s requires", NAME_SHOWN,
		    from->ability->required_features & versions ? from->name : to->name);
}

static void explain_lack(const struct side *from, const struct side *to, const struct demand *d,
			 const struct lack *lack, struct wish *w)
{
	size_t used = 0;

	if (lack->formats || lack->unsealed) {
		say(w, &used, "no format in common%s", lack->unsealed ? " that goes sealed" : "");
		if (d->joins)
			say(w, &used, " that carries the source's network");
		if (d->pin_formats.n)
			say_policy(w, &used, " of those pinned by ", d->pin_formats.policy);
		if (lack->unsealed) {
			say(w, &used, "; there has to be %s", framework_text(lack->feature));
			say_who_needs(w, &used, from, to, d, lack->feature);
		}
	} else {
		say(w, &used, "no %s in common", framework_text(lack->feature));
		say_who_needs(w, &used, from, to, d, lack->feature);
	}
	say(w, &used, ": ");
	say_has(w, &used, from, lack);
	say(w, &used, ", ");
	say_has(w, &used, to, lack);
	say_cuts(w, &used, from, to, d);
}

static void explain_choice(const struct side *from, const struct side *to, const struct demand *d,
			   struct wish *w)
{
	char features[FEATURE_LIST_SIZE], ours[FORMAT_LIST_SIZE], its[FORMAT_LIST_SIZE];
	char name[NAME_SHOWN + 1], peer[NAME_SHOWN + 1];
	size_t used = 0;

	say_texts(w, &used,
		  (const char *const[]){
			  format_name(w->send),
			  w->formats & FORMAT_BIT(FORMAT_IPIP6_1) ? " with ipip6/1" : "", NULL});
	if (w->features)
		say(w, &used, ", %s", feature_list(w->features, features));
	say_policy(w, &used,
		   d->pin_formats.n                              ? ": pinned by "
		   : w->policy.id == d->prefer_formats.policy.id ? ": preferred by "
								 : ": by ",
		   w->policy);
	say_texts(w, &used,
		  (const char *const[]){": the best of what ", shown(from->name, name), " (",
					format_list(ability_usable(from->ability), ours), ") and ",
					shown(to->name, peer), " (",
					format_list(ability_usable(to->ability), its),
					") have in common", NULL});
	say_cuts(w, &used, from, to, d);
}

void negotiate_explain(const struct side *from, const struct side *to, const struct demand *d,
		       const struct lack *lack, struct wish *ret)
{
	ret->reason[0] = '\0';
	if (ret->send == FORMAT_NONE)
		explain_lack(from, to, d, lack, ret);
	else
		explain_choice(from, to, d, ret);
}
