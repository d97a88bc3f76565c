#include "controller/model/version.h"

#include <kube/mem.h>
#include <stdint.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* A text behind the rules, and what they took from its end. */
struct reduced {
	char text[VERSION_TEXT_SIZE];
	char suffix[VERSION_TEXT_SIZE];
	const struct version_rule *rule; /* that took the suffix, when it counts; else NULL */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t count_digits(const char *s)
{
	size_t len = 0;
	while (is_digit(s[len]))
		len++;
	return len;
}

/* Rules */

/* How many characters of s a pattern takes; 0 when it does not match. */
static size_t match(const char *pattern, const char *s)
{
	const char *at = s;
	for (; *pattern; pattern++) {
		size_t len = *pattern == '#' ? count_digits(at) : *at == *pattern;
		if (*pattern == '$')
			return *at == '\0' ? (size_t)(at - s) : 0;
		if (len == 0)
			return 0;
		at += len;
	}
	return (size_t)(at - s);
}

static const struct version_rule *find_rule(enum version_stage stage, const char *s, size_t *ret_len)
{
	for (size_t i = 0; i < version_rule_count; i++) {
		const struct version_rule *rule = &version_rules[i];
		if (rule->stage != stage)
			continue;
		char first = rule->pattern[0]; /* rules out most before they are looked at */
		bool possible = first == s[0] || first == '#' || first == '$';
		size_t len = possible ? match(rule->pattern, s) : 0;
		if (len > 0) {
			*ret_len = len;
			return rule;
		}
	}
	return NULL;
}

/* Number, or "v" and a number. */
static bool starts_with_number(const char *s)
{
	return is_digit(s[s[0] == 'v']);
}

/* A word without the brackets and commas that stand around it in a sentence. */
static const char *next_word(const char **at, size_t *ret_len)
{
	const char *word = *at + strspn(*at, BLANKS "([\"");
	const char *end = word + strcspn(word, BLANKS);
	size_t len = (size_t)(end - word);
	*at = end;
	while (len > 0 && strchr(")],;\"", word[len - 1]))
		len--;
	*ret_len = len;
	return word;
}

/* Leaves the version of a sentence in text; a sentence without one stays. */
static void pick_word(char text[VERSION_TEXT_SIZE])
{
	const char *at = text;
	while (*at) {
		size_t len, pack_len;
		const char *word = next_word(&at, &len);
		if (len == 0 || !starts_with_number(word))
			continue;
		const char *pack = next_word(&at, &pack_len);
		bool is_pack = pack_len > 2 && strncmp(pack, "SP", 2) == 0 && count_digits(pack + 2) == pack_len - 2;
		memmove(text, word, len);
		if (is_pack) {
			text[len++] = '.';
			memmove(text + len, pack + 2, pack_len - 2);
			len += pack_len - 2;
		}
		text[len] = '\0';
		return;
	}
}

static void strip_head(char *text, enum version_stage stage)
{
	size_t len = 0;
	if (!find_rule(stage, text, &len))
		return;
	if ((stage == VERSION_EPOCH && !starts_with_number(text + len)) || (stage == VERSION_LEAD && !is_digit(text[len])))
		return;
	memmove(text, text + len, strlen(text + len) + 1);
}

/* Suffixes are looked for behind the leading number only: "latest+x" is no version with a suffix. */
static void strip_suffix(struct reduced *reduced)
{
	size_t len;
	for (size_t i = count_digits(reduced->text); i > 0 && reduced->text[i] != '\0'; i++) {
		const struct version_rule *rule = find_rule(VERSION_SUFFIX, reduced->text + i, &len);
		if (!rule)
			continue;
		memcpy(reduced->suffix, reduced->text + i, VERSION_TEXT_SIZE - i);
		reduced->text[i] = '\0';
		reduced->rule = rule->counts ? rule : NULL;
		return;
	}
}

static int reduce(const char *text, struct reduced *reduced)
{
	const char *start = text ? text + strspn(text, BLANKS) : "";
	size_t len = strlen(start);
	while (len > 0 && strchr(BLANKS, start[len - 1]))
		len--;
	if (len == 0)
		return KUBE_E_INVALID;
	if (len >= VERSION_TEXT_SIZE)
		return KUBE_E_LIMIT;
	*reduced = (struct reduced){0};
	memcpy(reduced->text, start, len);
	if (strpbrk(reduced->text, BLANKS))
		pick_word(reduced->text);
	strip_head(reduced->text, VERSION_SCHEME);
	strip_head(reduced->text, VERSION_EPOCH);
	strip_head(reduced->text, VERSION_LEAD);
	strip_suffix(reduced);
	return reduced->text[0] ? 0 : KUBE_E_INVALID;
}

int version_normalise(const char *text, char out[VERSION_TEXT_SIZE])
{
	struct reduced reduced;
	int rc = reduce(text, &reduced);
	if (rc == 0)
		memcpy(out, reduced.text, VERSION_TEXT_SIZE);
	return rc;
}

/* Runs of digits or letters */

struct run {
	const char *text;
	size_t len; /* 0: there is none left */
	bool number;
};

/* The run at *at, which moves behind it; separators before it are skipped. */
static struct run next_run(const char **at)
{
	while (**at && !is_digit(**at) && !is_letter(**at))
		(*at)++;
	struct run run = {.text = *at, .number = is_digit(**at)};
	run.len = count_digits(*at);
	while (!run.number && is_letter((*at)[run.len]))
		run.len++;
	*at += run.len;
	return run;
}

static int sign(int64_t value)
{
	return (value > 0) - (value < 0);
}

/* Of any length: by the count of digits without leading zeros, then by the digits. */
static int compare_numbers(struct run a, struct run b)
{
	for (; a.len > 0 && *a.text == '0'; a.text++)
		a.len--;
	for (; b.len > 0 && *b.text == '0'; b.text++)
		b.len--;
	if (a.len != b.len)
		return a.len > b.len ? 1 : -1;
	return sign(memcmp(a.text, b.text, a.len));
}

static int compare_words(struct run a, struct run b)
{
	int order = memcmp(a.text, b.text, a.len < b.len ? a.len : b.len);
	return order != 0 ? sign(order) : sign((int64_t)a.len - (int64_t)b.len);
}

/*
 * Run by run. number_order is the order of a number against a word: 1 for revisions (rpm), -1 for pre-releases (semver
 * item 11.4.3). open_end: what only one side states decides nothing.
 */
static int compare_runs(const char *a, const char *b, int number_order, bool open_end)
{
	for (;;) {
		struct run left = next_run(&a), right = next_run(&b);
		int order;
		if (left.len == 0 || right.len == 0)
			return open_end ? 0 : (left.len > 0) - (right.len > 0);
		if (left.number != right.number)
			return left.number ? number_order : -number_order;
		order = left.number ? compare_numbers(left, right) : compare_words(left, right);
		if (order != 0)
			return order;
	}
}

/* Comparison */

/* The end of the dotted numbers at the beginning of a version. */
static const char *find_rest(const char *text)
{
	const char *at = text + count_digits(text);
	while (at[0] == '.' && is_digit(at[1]))
		at += 1 + count_digits(at + 1);
	return at;
}

/* Missing parts count as 0. */
static int compare_dotted(const char *a, const char *a_end, const char *b, const char *b_end)
{
	while (a < a_end || b < b_end) {
		struct run left = {a, a < a_end ? count_digits(a) : 0, true};
		struct run right = {b, b < b_end ? count_digits(b) : 0, true};
		int order = compare_numbers(left, right);
		if (order != 0)
			return order;
		a += left.len + (a + left.len < a_end);
		b += right.len + (b + right.len < b_end);
	}
	return 0;
}

/* -1: a pre-release; 0: nothing; 1: a revision. This is also their order. */
static int classify_rest(const char *rest)
{
	static const char *const words[] = {"alpha", "beta",  "rc",       "pre",     "preview",
	                                    "dev",   "devel", "snapshot", "nightly", "canary"};
	struct run run = next_run(&rest);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(words); i++)
		if (!run.number && run.len == strlen(words[i]) && memcmp(run.text, words[i], run.len) == 0)
			return -1;
	return run.len > 0;
}

/* "1552ad0" is a commit: letters follow a plain number without a separator only in a pre-release ("6rc1"). */
static bool is_comparable(const char *text)
{
	const char *rest = find_rest(text);
	if (!is_digit(text[0]))
		return false;
	for (const char *c = rest; *c; c++)
		if (!is_digit(*c) && !is_letter(*c) && !strchr(".-_~+:", *c))
			return false;
	return !is_letter(*rest) || memchr(text, '.', (size_t)(rest - text)) || classify_rest(rest) < 0;
}

static int compare_reduced(const struct reduced *a, const struct reduced *b)
{
	const char *a_rest = find_rest(a->text), *b_rest = find_rest(b->text);
	int a_class = classify_rest(a_rest), b_class = classify_rest(b_rest);
	int order = compare_dotted(a->text, a_rest, b->text, b_rest);
	if (order == 0)
		order = sign(a_class - b_class);
	if (order == 0)
		order = compare_runs(a_rest, b_rest, a_class < 0 ? -1 : 1, false);
	if (order == 0 && a->rule && a->rule == b->rule)
		order = compare_runs(a->suffix, b->suffix, 1, true);
	return order;
}

static int reduce_comparable(const char *text, struct reduced *reduced, struct kube_err *err)
{
	if (reduce(text, reduced) == 0 && is_comparable(reduced->text))
		return 0;
	return kube_fail(err, KUBE_E_INVALID,
	                 "version \"%.100s\" cannot be compared: it has to begin with a number; use one such as 1.7.27",
	                 text ? text : "");
}

int version_compare(const char *a, const char *b, int *ret_order, struct kube_err *err)
{
	struct reduced left, right;
	int rc = reduce_comparable(a, &left, err);
	if (rc == 0)
		rc = reduce_comparable(b, &right, err);
	if (rc == 0)
		*ret_order = compare_reduced(&left, &right);
	return rc;
}

bool version_comparable(const char *text)
{
	struct reduced reduced;
	return reduce(text, &reduced) == 0 && is_comparable(reduced.text);
}

bool version_equal(const char *a, const char *b)
{
	struct reduced left, right;
	if (reduce(a, &left) < 0 || reduce(b, &right) < 0)
		return false;
	if (is_comparable(left.text) && is_comparable(right.text))
		return compare_reduced(&left, &right) == 0;
	return strcmp(left.text, right.text) == 0;
}
