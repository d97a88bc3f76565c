/* k8s.io/apimachinery/pkg/api/resource/quantity.go: <sign><digits>[.<digits>]<suffix or decimal exponent> */
#include <kube/quantity.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define MAX_DIGITS 18 /* that are looked at; they fit 64 bits */
#define MAX_EXPONENT 18

struct number {
	unsigned __int128 value; /* of the digits without their point */
	int scale;               /* value is to be divided by 10^scale */
	bool more;               /* digits were left out that make it larger */
};

static int bad(const char *text, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_PARSE, "expected a quantity such as \"500m\" or \"64Mi\", got \"%.64s\"", text);
}

static void take_digits(const char *digits, size_t len, bool fraction, struct number *number, size_t *used)
{
	for (size_t i = 0; i < len; i++) {
		if (*used == 0 && digits[i] == '0' && !fraction)
			continue; /* leading zeros say nothing */
		if (*used >= MAX_DIGITS) {
			number->more = number->more || digits[i] != '0';
			number->scale -= fraction ? 0 : 1;
			continue;
		}
		number->value = number->value * 10 + (unsigned)(digits[i] - '0');
		number->scale += fraction ? 1 : 0;
		(*used)++;
	}
}

/* Moves *text behind the digits; false: there are none. */
static bool take_number(const char **text, struct number *ret_number)
{
	struct number number = {0};
	size_t used = 0, whole = strspn(*text, DIGITS), fraction = 0;
	const char *rest = *text + whole;

	take_digits(*text, whole, false, &number, &used);
	if (*rest == '.') {
		fraction = strspn(++rest, DIGITS);
		take_digits(rest, fraction, true, &number, &used);
		rest += fraction;
	}
	*text = rest;
	*ret_number = number;
	return whole + fraction > 0;
}

/* "e3", "E-2": the exponent of ten, and nothing behind it. */
static bool take_exponent(const char *text, int *ret_exponent)
{
	char *end;

	if ((*text != 'e' && *text != 'E') || !strpbrk(text + 1, DIGITS) ||
	    strspn(text + 1, DIGITS "+-") != strlen(text + 1))
		return false;
	long exponent = strtol(text + 1, &end, 10);
	if (*end)
		return false;
	*ret_exponent = exponent > MAX_EXPONENT ? MAX_EXPONENT : exponent < -MAX_EXPONENT ? -MAX_EXPONENT : (int)exponent;
	return true;
}

/* A power of ten and one of 1024. */
static bool take_suffix(const char *text, int *ret_exponent, int *ret_binary)
{
	static const struct {
		const char *name;
		int exponent, binary;
	} suffixes[] = {
	    {"", 0, 0},   {"n", -9, 0}, {"u", -6, 0}, {"m", -3, 0}, {"k", 3, 0},  {"M", 6, 0},  {"G", 9, 0},  {"T", 12, 0},
	    {"P", 15, 0}, {"E", 18, 0}, {"Ki", 0, 1}, {"Mi", 0, 2}, {"Gi", 0, 3}, {"Ti", 0, 4}, {"Pi", 0, 5}, {"Ei", 0, 6},
	};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(text, suffixes[i].name) != 0)
			continue;
		*ret_exponent = suffixes[i].exponent;
		*ret_binary = suffixes[i].binary;
		return true;
	}
	*ret_binary = 0;
	return take_exponent(text, ret_exponent);
}

/* number * 10^exponent, rounded up, within int64_t. */
static int64_t scale(const struct number *number, int exponent)
{
	unsigned __int128 value = number->value;
	bool more = number->more;

	for (exponent -= number->scale; exponent > 0 && value <= INT64_MAX && value > 0; exponent--)
		value *= 10;
	for (; exponent < 0 && value > 0; exponent++) {
		more = more || value % 10 != 0;
		value /= 10;
	}
	value += more ? 1 : 0;
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

int kube_quantity_parse(const char *text, int64_t *ret_milli, struct kube_err *err)
{
	bool negative = *text == '-';
	const char *rest = text + (*text == '-' || *text == '+');
	struct number number;
	int exponent, binary;

	if (!take_number(&rest, &number) || !take_suffix(rest, &exponent, &binary))
		return bad(text, err);
	for (; binary > 0; binary--)
		number.value *= 1024;
	int64_t milli = scale(&number, exponent + 3);
	*ret_milli = negative ? -milli : milli;
	return 0;
}
