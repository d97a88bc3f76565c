#include "controller/model/version_range.h"
#include "controller/model/version.h"

#include <stdlib.h>
#include <string.h>

struct comparator {
	bool below, equal, above; /* which orders of the version to the bound hold */
	char bound[VERSION_TEXT_SIZE];
};

/* The longer ones first: ">" also begins ">=". */
static const struct {
	const char *text;
	bool below, equal, above;
} operators[] = {
    {">=", false, true, true}, {"<=", true, true, false}, {"!=", true, false, true}, {">", false, false, true},
    {"<", true, false, false}, {"=", false, true, false}, {"", false, true, false},
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* "1.x" would be a version of its own that no node shows. */
static bool has_wildcard(const char *bound)
{
	for (const char *part = bound; *part; part += part[0] == '.') {
		size_t len = strcspn(part, ".");
		if (len == 1 && strchr("xX*", *part))
			return true;
		part += len;
	}
	return false;
}

/* One comparator from *at on, which moves behind it. */
static int read_comparator(const char **at, struct comparator *ret_comparator, struct kube_err *err)
{
	const char *word = *at;
	size_t op = 0, len;

	while (strncmp(word, operators[op].text, strlen(operators[op].text)) != 0)
		op++;
	const char *bound = word + strlen(operators[op].text);
	len = strcspn(bound, " \t");
	if (len == 0)
		return kube_fail(err, KUBE_E_INVALID, "\"%.8s\" needs a version directly behind it, as in \">=1.6.0 <2.0.0\"",
		                 word);
	if (len >= VERSION_TEXT_SIZE)
		return kube_fail(err, KUBE_E_INVALID, "\"%.40s…\" is longer than any version", bound);
	*ret_comparator =
	    (struct comparator){.below = operators[op].below, .equal = operators[op].equal, .above = operators[op].above};
	memcpy(ret_comparator->bound, bound, len);
	if (has_wildcard(ret_comparator->bound))
		return kube_fail(err, KUBE_E_INVALID,
		                 "\"%.40s\": x and * have no meaning here; write it as in \">=1.6.0 <2.0.0\"",
		                 ret_comparator->bound);
	if (!version_comparable(ret_comparator->bound))
		return kube_fail(err, KUBE_E_INVALID,
		                 "\"%.40s\" is no version that can be compared; write it as in \">=1.6.0 <2.0.0\"",
		                 ret_comparator->bound);
	*at = skip_blanks(bound + len);
	return 0;
}

int version_range_check(const char *range, struct kube_err *err)
{
	const char *at = skip_blanks(range);
	struct comparator comparator;

	if (!*at)
		return kube_fail(err, KUBE_E_INVALID, "the range is empty; write it as in \">=1.6.0 <2.0.0\"");
	for (int count = 0; *at; count++) {
		if (count == VERSION_RANGE_MAX_COMPARATORS)
			return kube_fail(err, KUBE_E_LIMIT, "a range takes at most %d comparators; use several ranges",
			                 VERSION_RANGE_MAX_COMPARATORS);
		int rc = read_comparator(&at, &comparator, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool holds(const struct comparator *comparator, const char *version)
{
	int order;

	if (version_compare(version, comparator->bound, &order, NULL) != 0)
		return false;
	return order < 0 ? comparator->below : order > 0 ? comparator->above : comparator->equal;
}

bool version_in_range(const char *version, const char *range)
{
	const char *at = skip_blanks(range);
	struct comparator comparator;

	if (version_range_check(range, NULL) < 0)
		return false;
	while (*at)
		if (read_comparator(&at, &comparator, NULL) < 0 || !holds(&comparator, version))
			return false;
	return true;
}

bool version_minor(const char *version, int64_t *ret_major, int64_t *ret_minor)
{
	char text[VERSION_TEXT_SIZE], *end;

	if (!version_comparable(version) || version_normalise(version, text) < 0)
		return false;
	long major = strtol(text, &end, 10);
	if (end == text || *end != '.' || end[1] < '0' || end[1] > '9')
		return false;
	*ret_major = major;
	*ret_minor = strtol(end + 1, NULL, 10);
	return true;
}

enum skew kubelet_skew(const char *shown, const char *wanted, const char *server)
{
	int64_t shown_major, shown_minor, major, minor, server_major, server_minor;

	if (!version_minor(shown, &shown_major, &shown_minor) || !version_minor(wanted, &major, &minor) ||
	    !version_minor(server, &server_major, &server_minor))
		return SKEW_UNKNOWN;
	if (major > server_major || (major == server_major && minor > server_minor))
		return SKEW_NEWER_THAN_SERVER;
	if (major < server_major || server_minor - minor > SKEW_MAX_MINORS)
		return SKEW_TOO_OLD;
	return shown_major < major || minor - shown_minor > 1 ? SKEW_SKIPS_MINOR : SKEW_FINE;
}
