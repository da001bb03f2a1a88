/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: AWS's published values, those that botocore computes, and every way to be refused. */
#include "api/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

#define KEY    "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_MS UINT64_C(1440938160000) /* 2015-08-30T12:36:00Z */

static const struct vector {
	const char *name;
	const char *method;
	const char *path;
	const char *query;
	struct http_header headers[6];
	size_t n_headers;
	const char *body;
	const char *authorization;
} vectors[] = {
#include "sigv4_vectors.h"
};

struct fixture {
	struct arena arena;
	const char *reason; /* of the last refusal */
	struct sigv4_cache cache;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	arena_init(&f->arena, LIMIT_API_ARENA_SIZE);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_deinit(&f->arena);
	free(f);
	return 0;
}

static struct http_request request_of(const struct vector *v, struct http_header *headers,
				      const char *authorization)
{
	struct http_request r = {
		.method = v->method,
		.path = v->path,
		.query = v->query,
		.headers = headers,
		.n_headers = v->n_headers,
		.body = v->body,
		.body_size = strlen(v->body),
	};

	memcpy(headers, v->headers, sizeof(v->headers));
	if (authorization)
		headers[r.n_headers++] = (struct http_header){"authorization", authorization};
	return r;
}

static enum sigv4_result verify_at(struct fixture *f, const struct http_request *r,
				   const char *secret, const char *region, uint64_t now_ms)
{
	struct sigv4_auth auth;
	enum sigv4_result result = sigv4_parse(r, &f->arena, &auth);

	if (!result)
		result = sigv4_verify(r, &auth, secret, region, now_ms, &f->cache, &f->arena);
	assert_true(!result || auth.reason);
	f->reason = result ? auth.reason : NULL;
	return result;
}

/* requirement: OPS-1 */
static void test_vectors_of_botocore(void **state)
{
	struct fixture *f = *state;

	assert_true(ARRAY_SIZE(vectors) > 10);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct http_header headers[7];
		struct http_request r = request_of(&vectors[i], headers, vectors[i].authorization);
		enum sigv4_result result = verify_at(f, &r, SECRET, "us-east-1", NOW_MS);

		if (result)
			fail_msg("%s: %d", vectors[i].name, result);
		assert_int_equal(verify_at(f, &r, SECRET "x", "us-east-1", NOW_MS), SIGV4_MISMATCH);
	}
}

static const struct vector vanilla = {
	.method = "GET",
	.path = "/",
	.headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
	.n_headers = 2,
	.body = "",
};

#define VANILLA                                                                                    \
	"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "        \
	"SignedHeaders=host;x-amz-date, Signature="                                                \
	"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

/* As AWS publishes them, whatever botocore computes.
 * requirement: OPS-1 */
static void test_published_vectors(void **state)
{
	struct fixture *f = *state;
	const struct sigv4_sign_args args = {
		.access_key_id = KEY,
		.secret = SECRET,
		.region = "us-east-1",
		.service = "service",
		.now_ms = NOW_MS,
	};
	struct vector v = vanilla;
	struct http_header headers[7];
	struct http_request r = request_of(&v, headers, NULL);

	assert_string_equal(sigv4_sign(&r, &args, &f->cache, &f->arena), VANILLA);
	assert_string_equal(sigv4_canonical_request(&r, "host;x-amz-date", &f->arena),
			    "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
			    "host;x-amz-date\n"
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	v.query = "Param2=value2&Param1=value1";
	r = request_of(&v, headers, NULL);
	assert_non_null(strstr(sigv4_sign(&r, &args, &f->cache, &f->arena),
			       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
	v = vanilla;
	v.method = "POST";
	r = request_of(&v, headers, NULL);
	assert_non_null(strstr(sigv4_sign(&r, &args, &f->cache, &f->arena),
			       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
}

static void test_time(void **state)
{
	struct fixture *f = *state;
	struct http_header headers[7];
	struct http_request r = request_of(&vanilla, headers, VANILLA);
	const uint64_t skew = LIMIT_SIGV4_SKEW_S * UINT64_C(1000);

	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS + skew), SIGV4_OK);
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS - skew), SIGV4_OK);
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS + skew + 1000),
			 SIGV4_EXPIRED);
	assert_non_null(
		strstr(f->reason,
		       "It is of 20150830T123600Z, and the manager's clock says 20150830T125101Z"));
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS - skew - 1000),
			 SIGV4_EXPIRED);
	assert_non_null(
		strstr(f->reason,
		       "It is of 20150830T123600Z, and the manager's clock says 20150830T122059Z"));
	headers[1].value = "20150831T000000Z"; /* not the day of the scope */
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_SCOPE);
	headers[1].value = "yesterday";
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_INCOMPLETE);
}

static void test_scope(void **state)
{
	struct fixture *f = *state;
	struct http_header headers[7];
	struct http_request r = request_of(&vanilla, headers, VANILLA);

	assert_int_equal(verify_at(f, &r, SECRET, "eu-west-1", NOW_MS), SIGV4_SCOPE);
	assert_non_null(strstr(f->reason, "the region 'eu-west-1', not to 'us-east-1'"));
}

/* Nothing that is signed may be changed on the way.
 * requirement: OPS-1 */
static void test_changes_are_noticed(void **state)
{
	struct fixture *f = *state;
	struct http_header headers[7];
	struct http_request good = request_of(&vanilla, headers, VANILLA), r;

	assert_int_equal(verify_at(f, &good, SECRET, "us-east-1", NOW_MS), SIGV4_OK);
	r = good;
	r.method = "POST";
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_MISMATCH);
	r = good;
	r.path = "/x";
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_MISMATCH);
	r = good;
	r.query = "a=b";
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_MISMATCH);
	r = good;
	r.body = "x";
	r.body_size = 1;
	assert_int_equal(verify_at(f, &r, SECRET, "us-east-1", NOW_MS), SIGV4_MISMATCH);
	headers[0].value = "evil.example";
	assert_int_equal(verify_at(f, &good, SECRET, "us-east-1", NOW_MS), SIGV4_MISMATCH);
}

static void test_malformed_headers(void **state)
{
	static const struct {
		const char *text;
		enum sigv4_result expected;
	} cases[] = {
		{"", SIGV4_INCOMPLETE},
		{"Basic YTpi", SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256", SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 ", SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host;x-amz-date, "
		 "Signature=00",
		 SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=/b/c/d/aws4_request, "
		 "SignedHeaders=host;x-amz-date, Signature=00",
		 SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, "
		 "SignedHeaders=host;x-amz-date, Signature=zz",
		 SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Unknown=1", SIGV4_INCOMPLETE},
		/* host, or the date, not signed */
		{"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=x-amz-date, Signature="
		 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		 SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=host, Signature="
		 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		 SIGV4_INCOMPLETE},
		/* a header that was not sent; an empty name */
		{"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=host;x-amz-date;x-nothing, Signature="
		 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		 SIGV4_INCOMPLETE},
		{"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		 "SignedHeaders=host;;x-amz-date, Signature="
		 "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		 SIGV4_INCOMPLETE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_header headers[7];
		struct http_request r = request_of(&vanilla, headers, cases[i].text);
		enum sigv4_result result = verify_at(f, &r, SECRET, "us-east-1", NOW_MS);

		if (result != cases[i].expected)
			fail_msg("%s: %d", cases[i].text, result);
	}
}

static void test_unsigned(void **state)
{
	struct fixture *f = *state;
	struct http_header headers[7];
	struct http_request r = request_of(&vanilla, headers, NULL);
	struct sigv4_auth auth;

	assert_int_equal(sigv4_parse(&r, &f->arena, &auth), SIGV4_MISSING);
	r.query = "Action=DescribeVpcs";
	assert_int_equal(sigv4_parse(&r, &f->arena, &auth), SIGV4_MISSING);
	r.query = "X-Amz-Signature=00";
	assert_int_equal(sigv4_parse(&r, &f->arena, &auth), SIGV4_INCOMPLETE);
	r.query =
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/d/aws4_request"
		"&X-Amz-Date=20150830T123600Z&X-Amz-Expires=700000&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
	assert_int_equal(sigv4_parse(&r, &f->arena, &auth), SIGV4_INCOMPLETE); /* over a week */
}

/* The cache must not mix up secrets, days or services. */
static void test_cache(void **state)
{
	struct fixture *f = *state;
	struct sigv4_cache fresh;
	struct http_header headers[7];
	struct http_request r = request_of(&vanilla, headers, NULL);

	for (unsigned int i = 0; i < 300; i++) {
		char secret[16], region[16];
		struct sigv4_sign_args args = {
			.access_key_id = KEY, .secret = secret, .region = region, .service = "ec2"};

		snprintf(secret, sizeof(secret), "s%u", i % 7);
		snprintf(region, sizeof(region), "r%u", i % 30);
		memset(&fresh, 0, sizeof(fresh));
		assert_string_equal(sigv4_sign(&r, &args, &f->cache, &f->arena),
				    sigv4_sign(&r, &args, &fresh, &f->arena));
	}
}

static void test_timestamp(void **state)
{
	char text[SIGV4_TIMESTAMP_SIZE];

	sigv4_timestamp(NOW_MS, text);
	assert_string_equal(text, "20150830T123600Z");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vectors_of_botocore),
		TEST(test_published_vectors),
		TEST(test_time),
		TEST(test_scope),
		TEST(test_changes_are_noticed),
		TEST(test_malformed_headers),
		TEST(test_unsigned),
		TEST(test_cache),
		TEST(test_timestamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
