/* SPDX-License-Identifier: GPL-2.0-only */
/* A test is a function; a program lists its tests and ends with a tally. */
#ifndef MMLENS_TEST_H
#define MMLENS_TEST_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static unsigned int test_failures;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#what); \
			test_failures++; \
		} \
	} while (0)

#define CHECK_NUMBER(got, want) \
	do { \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) { \
			fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", \
				__FILE__, __LINE__, #got, got_, want_); \
			test_failures++; \
		} \
	} while (0)

#define CHECK_STRING(got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (strcmp(got_, want_)) { \
			fprintf(stderr, "%s:%d: %s is\n%s\nnot\n%s\n", \
				__FILE__, __LINE__, #got, got_, want_); \
			test_failures++; \
		} \
	} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

static inline int run_tests(const struct test *tests, size_t count)
{
	unsigned int failed = 0;

	for (size_t i = 0; i < count; i++) {
		test_failures = 0;
		tests[i].run();
		printf("%s %s\n", test_failures ? "FAIL" : "ok  ",
		       tests[i].name);
		failed += !!test_failures;
	}
	return failed ? 1 : 0;
}

#define TEST(function) { #function, function }
#define TESTS(...) \
	int main(void) \
	{ \
		static const struct test tests[] = { __VA_ARGS__ }; \
		return run_tests(tests, ARRAY_SIZE(tests)); \
	}

#endif
