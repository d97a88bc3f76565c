/*
 * Ranges of versions, as in patches[].supportedFrom, and the skew that a kubelet may have. Pure functions over the
 * texts that controller/model/version.h makes alike.
 *
 * A range is comparators with blanks between them, all of which must hold: ">=1.6.0 <2.0.0". A comparator is one of
 * = != > >= < <= (none means =) and a version directly behind it. A pre-release lies where version_compare() puts it:
 * 2.0.0-rc.1 is in "<2.0.0".
 */
#ifndef CONTROLLER_MODEL_VERSION_RANGE_H
#define CONTROLLER_MODEL_VERSION_RANGE_H

#include <kube/err.h>
#include <stdbool.h>
#include <stdint.h>

#define VERSION_RANGE_MAX_COMPARATORS 8

/* KUBE_E_INVALID says what is wrong with the range, KUBE_E_LIMIT that it has too many comparators. */
int version_range_check(const char *range, struct kube_err *err);
/* False also for a version that cannot be compared, and for a range that version_range_check() refuses. */
bool version_in_range(const char *version, const char *range);

/* The first two numbers of a version ("v1.34.4" → 1, 34). False when it has none. */
bool version_minor(const char *version, int64_t *ret_major, int64_t *ret_minor);

/*
 * What a kubelet may be brought to: never newer than its API server, at most three minors older, and no minor skipped
 * on the way (https://kubernetes.io/releases/version-skew-policy/#kubelet). Patch levels do not count.
 */
enum skew { SKEW_FINE, SKEW_NEWER_THAN_SERVER, SKEW_TOO_OLD, SKEW_SKIPS_MINOR, SKEW_UNKNOWN };
#define SKEW_MAX_MINORS 3
/* shown: what the node has now. UNKNOWN: one of the three cannot be read. */
enum skew kubelet_skew(const char *shown, const char *wanted, const char *server);

#endif
