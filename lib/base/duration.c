#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define NS_A_MS UINT64_C(1000000)
#define NS_A_SECOND (1000 * NS_A_MS)
#define LIMIT_NS (UINT64_C(10) * 365 * 24 * 3600 * NS_A_SECOND)

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
    /* Longer names first: "ms" is not "m". The two micro signs are U+00B5 and U+03BC, as in Go. */
    {"ns", 1},       {"us", 1000},       {"\xC2\xB5s", 1000},     {"\xCE\xBCs", 1000},
    {"ms", NS_A_MS}, {"s", NS_A_SECOND}, {"m", 60 * NS_A_SECOND}, {"h", 3600 * NS_A_SECOND},
};

static const struct unit *find_unit(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strncmp(text, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	}
	return NULL;
}

/* Adds without going far beyond the limit, so that no sum wraps. */
static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > LIMIT_NS || b > LIMIT_NS - a ? LIMIT_NS + 1 : a + b;
}

/* The digits behind the point, times the unit; beyond the 18th they are worth less than a nanosecond. */
static uint64_t fraction_ns(const char *digits, size_t len, uint64_t unit_ns)
{
	uint64_t value = 0, scale = 1;

	for (size_t i = 0; i < len && i < 18; i++) {
		value = value * 10 + (uint64_t)(digits[i] - '0');
		scale *= 10;
	}
	return (uint64_t)((unsigned __int128)value * unit_ns / scale);
}

/* "1.5h": one number with its unit. Moves *text behind it. */
static bool take_part(const char **text, uint64_t *ret_ns)
{
	const char *whole = *text;
	size_t whole_len = strspn(whole, "0123456789");
	const char *fraction = whole + whole_len;
	size_t fraction_len = 0;
	uint64_t count = 0, ns = 0;

	if (*fraction == '.')
		fraction_len = strspn(++fraction, "0123456789");
	const struct unit *unit = find_unit(fraction + fraction_len);
	if (whole_len + fraction_len == 0 || !unit)
		return false;
	for (size_t i = 0; i < whole_len; i++)
		count = count > LIMIT_NS ? count : count * 10 + (uint64_t)(whole[i] - '0');
	ns = count > LIMIT_NS / unit->ns ? LIMIT_NS + 1 : count * unit->ns;
	ns = add_capped(ns, fraction_ns(fraction, fraction_len, unit->ns));
	*text = fraction + fraction_len + strlen(unit->name);
	*ret_ns = ns;
	return true;
}

int kube_duration_parse(const char *text, int64_t *ret_ms, struct kube_err *err)
{
	const char *rest = text + (*text == '+');
	uint64_t total_ns = 0;

	if (strcmp(rest, "0") == 0)
		rest = "";
	else if (!*rest)
		rest = "?";
	while (*rest) {
		uint64_t ns;
		if (!take_part(&rest, &ns))
			return kube_fail(err, KUBE_E_PARSE, "expected a duration such as \"15m\" or \"1h30m\", got \"%s\"", text);
		total_ns = add_capped(total_ns, ns);
	}
	if (total_ns > LIMIT_NS)
		return kube_fail(err, KUBE_E_LIMIT, "the duration \"%s\" is longer than 10 years (87600h)", text);
	*ret_ms = (int64_t)(total_ns / NS_A_MS);
	return 0;
}

/* ".5" for 500 ms: without the zeros at the end. */
static void format_fraction(unsigned ms, char out[8])
{
	int len = snprintf(out, 8, ".%03u", ms % 1000);

	while (len > 0 && (out[len - 1] == '0' || out[len - 1] == '.'))
		out[--len] = '\0';
}

const char *kube_duration_format(int64_t ms, char out[KUBE_DURATION_TEXT_SIZE])
{
	const size_t size = KUBE_DURATION_TEXT_SIZE;
	uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
	uint64_t hours = left / 3600000, minutes = left / 60000 % 60, seconds = left / 1000 % 60;
	unsigned rest_ms = (unsigned)(left % 1000);
	char fraction[8];
	size_t len = 0;

	if (ms < 0)
		out[len++] = '-';
	if (left < 1000) {
		snprintf(out + len, size - len, rest_ms ? "%ums" : "%us", rest_ms);
		return out;
	}
	if (hours)
		len += (size_t)snprintf(out + len, size - len, "%lluh", (unsigned long long)hours);
	if (minutes)
		len += (size_t)snprintf(out + len, size - len, "%llum", (unsigned long long)minutes);
	format_fraction(rest_ms, fraction);
	if (seconds || rest_ms)
		snprintf(out + len, size - len, "%llu%ss", (unsigned long long)seconds, fraction);
	return out;
}
