/* Versions, two at a time, a line each: the comparison is an order. */
#include "controller/model/version.h"
#include "test/fuzz/fuzz.h"

static bool compare(const char *a, const char *b, int *ret_order)
{
	struct kube_err err = {0};
	int code = version_compare(a, b, ret_order, &err);

	REQUIRE(code == err.code);
	REQUIRE(code || (*ret_order >= -1 && *ret_order <= 1));
	return code == 0;
}

static void normalise(const char *text)
{
	char once[VERSION_TEXT_SIZE], twice[VERSION_TEXT_SIZE];

	if (version_normalise(text, once) != 0)
		return;
	REQUIRE(strlen(once) < sizeof(once));
	REQUIRE(version_normalise(once, twice) == 0);
	version_comparable(text);
}

static void pair(const char *a, const char *b)
{
	int there = 0, back = 0;

	bool comparable = compare(a, b, &there);
	REQUIRE(compare(b, a, &back) == comparable);
	REQUIRE(!comparable || there == -back);
	REQUIRE(version_equal(a, b) == version_equal(b, a));
	if (comparable)
		REQUIRE(version_equal(a, b) == (there == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *a = fuzz_cut(&data, &size, '\n'), *b = fuzz_cut(&data, &size, '\n');

	normalise(a);
	normalise(b);
	pair(a, b);
	pair(a, a);
	free(a);
	free(b);
	return 0;
}
