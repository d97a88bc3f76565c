/*
 * Version texts as nodes report them and as policies ask for them: made alike, compared, ordered. Pure functions.
 *
 * Before any comparison a text goes through the rules of version_rules[], stage by stage; each rule there has an
 * example, what becomes of it, and the reason:
 *
 *   trim      blanks around the text go.
 *   words     of several words (an osImage, "Ubuntu 22.04.3 LTS") the first that begins with a number is the version;
 *             SUSE's "15 SP5" is 15.5. A text without such a word stays as it is and is not comparable.
 *   scheme    "containerd://", "cri-o://" and "docker://" go.
 *   epoch     a Debian package's epoch ("5:") goes, when a version follows.
 *   lead      one "v" goes, when a number follows.
 *   suffix    what a distribution or a build adds to the upstream version goes, with everything behind it. A suffix
 *             that no rule names stays: on kernels "-18" is the patch level.
 *
 * Then it is <numbers>[<rest>]. Numbers are dotted, compared as numbers of any length, and missing ones count as 0. The
 * rest is either
 *
 *   a pre-release   when its first word is alpha, beta, rc, pre, preview, dev, devel, snapshot, nightly or canary
 *                   ("-rc.1", "rc1", "~beta2"): lower than the version without it, and ordered as semver 2.0.0 item 11
 *                   says, except that runs of digits within a word count as numbers (rc.10, rc10 > rc2); or
 *   a revision      anything else ("-18-amd64", "-372.9.1.el8"): higher than the version without it, and compared run
 *                   by run: numbers as numbers, words by their bytes, a number above a word (as rpm does), and the
 *                   longer above its own beginning.
 *
 * Separators between runs are alike: "rc.1" equals "rc1". Letters keep their case.
 *
 * Where two versions are equal so far, and the same rule whose suffix counts up (`counts`) took something from both,
 * the suffixes decide: 1.34.4+k3s1 is older than 1.34.4+k3s2, while 1.34.4 and 1.34.4+k3s equal either. So equality is
 * a relation to the version that is wanted, not one to group by.
 */
#ifndef CONTROLLER_MODEL_VERSION_H
#define CONTROLLER_MODEL_VERSION_H

#include <kube/err.h>
#include <stdbool.h>
#include <stddef.h>

#define VERSION_TEXT_SIZE 128 /* with the NUL */

enum version_stage { VERSION_TRIM, VERSION_WORDS, VERSION_SCHEME, VERSION_EPOCH, VERSION_LEAD, VERSION_SUFFIX };

struct version_rule {
	enum version_stage stage;
	const char *pattern; /* '#' is a run of digits, a '$' at the end is the end of the text; NULL: see the stage */
	bool counts;         /* the suffixes of two equal versions are compared */
	const char *example, *gives;
	const char *reason;
};

extern const struct version_rule version_rules[];
extern const size_t version_rule_count;

/* The text behind the rules. KUBE_E_INVALID when nothing is left of it (or NULL), KUBE_E_LIMIT when it does not fit. */
int version_normalise(const char *text, char out[VERSION_TEXT_SIZE]);

/* *ret_order is -1, 0 or 1 for a older than, equal to and newer than b. KUBE_E_INVALID names one that is not
 * comparable. */
int version_compare(const char *a, const char *b, int *ret_order, struct kube_err *err);

/* True for what version_compare() accepts: a number first, and only letters, digits and ".-_~+:" behind it. */
bool version_comparable(const char *text);

/* Compares 0, or the same normalised text where neither is comparable. What is empty or too long equals nothing. */
bool version_equal(const char *a, const char *b);

#endif
