#include <kube/selector.h>

#include <ctype.h>
#include <string.h>

/* apimachinery util/validation: a label value, and the name part of a key. */
#define NAME_MAX_LEN 63
#define PREFIX_MAX_LEN 253

static const char *const operator_words[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};

/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto LabelSelectorRequirement, LabelSelector */
static const struct kube_json_field requirement_table[] = {
    {.name = "key",
     .number = 1,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct kube_requirement, key),
     .required = true},
    {.name = "operator",
     .number = 2,
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct kube_requirement, op),
     .required = true,
     .words = operator_words},
    {.name = "values", .number = 3, .type = KUBE_JSON_STRLIST, .offset = offsetof(struct kube_requirement, values)},
    KUBE_JSON_END,
};

const struct kube_json_field kube_selector_table[] = {
    {.name = "matchLabels",
     .number = 1,
     .type = KUBE_JSON_STRMAP,
     .offset = offsetof(struct kube_selector, match_labels)},
    {.name = "matchExpressions",
     .number = 2,
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct kube_selector, match_expressions),
     .table = requirement_table,
     .size = sizeof(struct kube_requirement)},
    KUBE_JSON_END,
};

int kube_selector_copy(const struct kube_selector *selector, struct kube_arena *arena, struct kube_selector *ret_copy)
{
	size_t count = selector->match_expressions.count;
	struct kube_requirement *items = count ? kube_arena_calloc(arena, count, sizeof(*items)) : NULL;
	struct kube_selector copy = {.match_expressions = {.items = items, .count = count}};

	if ((count && !items) || kube_strmap_copy(&selector->match_labels, arena, &copy.match_labels))
		return KUBE_E_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct kube_requirement *from = &selector->match_expressions.items[i];
		items[i].op = from->op;
		items[i].key = kube_arena_strdup(arena, from->key);
		if (!items[i].key || kube_strlist_copy(&from->values, arena, &items[i].values))
			return KUBE_E_NOMEM;
	}
	*ret_copy = copy;
	return 0;
}

bool kube_selector_empty(const struct kube_selector *selector)
{
	return selector->match_labels.count == 0 && selector->match_expressions.count == 0;
}

/* Letters, digits and inner "-", "_", "."; 1 to 63 characters. */
static bool is_qualified_name(const char *s)
{
	size_t len = strlen(s);
	if (len == 0 || len > NAME_MAX_LEN || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

/* DNS-1123 subdomain: lower-case letters, digits and "-", in dotted parts that begin and end with a letter or digit. */
static bool is_subdomain(const char *s, size_t len)
{
	bool inner = false; /* the last character may end a part */
	if (len > PREFIX_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool alnum = islower((unsigned char)s[i]) || isdigit((unsigned char)s[i]);
		bool starts_part = i == 0 || s[i - 1] == '.';
		if (!alnum && (starts_part || (s[i] == '.' ? !inner : s[i] != '-')))
			return false;
		inner = alnum;
	}
	return inner;
}

/* "name" or "prefix/name", where the prefix is a DNS subdomain. */
static bool is_label_key(const char *key)
{
	const char *slash = strchr(key, '/');
	if (!slash)
		return is_qualified_name(key);
	return is_subdomain(key, (size_t)(slash - key)) && is_qualified_name(slash + 1);
}

static int check_pair(const char *key, const char *value, struct kube_err *err)
{
	if (!is_label_key(key))
		return kube_fail(err, KUBE_E_INVALID,
		                 "selector: \"%.300s\" is no label key; use \"name\" or \"prefix/name\" of letters, digits and "
		                 "inner \"-_.\", at most 63 characters after the slash",
		                 key);
	if (value && value[0] != '\0' && !is_qualified_name(value))
		return kube_fail(err, KUBE_E_INVALID,
		                 "selector: key \"%.300s\": \"%.80s\" is no label value; use at most 63 letters, digits and "
		                 "inner \"-_.\"",
		                 key, value);
	return 0;
}

static int check_requirement(const struct kube_requirement *requirement, struct kube_err *err)
{
	bool wants_values = requirement->op == KUBE_SELECT_IN || requirement->op == KUBE_SELECT_NOT_IN;
	int rc = check_pair(requirement->key, NULL, err);
	if (rc < 0)
		return rc;
	if (wants_values && requirement->values.count == 0)
		return kube_fail(err, KUBE_E_INVALID, "selector: key \"%.300s\": operator %s needs at least one value",
		                 requirement->key, operator_words[requirement->op]);
	if (!wants_values && requirement->values.count > 0)
		return kube_fail(err, KUBE_E_INVALID, "selector: key \"%.300s\": operator %s takes no values; remove them",
		                 requirement->key, operator_words[requirement->op]);
	for (size_t i = 0; i < requirement->values.count; i++) {
		rc = check_pair(requirement->key, requirement->values.items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int kube_selector_check(const struct kube_selector *selector, struct kube_err *err)
{
	for (size_t i = 0; i < selector->match_labels.count; i++) {
		const struct kube_str_pair *pair = &selector->match_labels.items[i];
		int rc = check_pair(pair->key, pair->value, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < selector->match_expressions.count; i++) {
		int rc = check_requirement(&selector->match_expressions.items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool contains(const struct kube_strlist *list, const char *value)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], value) == 0)
			return true;
	return false;
}

/* labels.Requirement.Matches: an absent key satisfies NotIn and DoesNotExist. */
static bool requirement_matches(const struct kube_requirement *requirement, const char *value)
{
	switch ((enum kube_selector_operator)requirement->op) {
	case KUBE_SELECT_IN: return value && contains(&requirement->values, value);
	case KUBE_SELECT_NOT_IN: return !value || !contains(&requirement->values, value);
	case KUBE_SELECT_EXISTS: return value != NULL;
	case KUBE_SELECT_DOES_NOT_EXIST: return value == NULL;
	}
	return false;
}

bool kube_selector_matches(const struct kube_selector *selector, const struct kube_strmap *labels)
{
	for (size_t i = 0; i < selector->match_labels.count; i++) {
		const char *value = kube_strmap_get(labels, selector->match_labels.items[i].key);
		if (!value || strcmp(value, selector->match_labels.items[i].value) != 0)
			return false;
	}
	for (size_t i = 0; i < selector->match_expressions.count; i++) {
		const struct kube_requirement *requirement = &selector->match_expressions.items[i];
		if (!requirement_matches(requirement, kube_strmap_get(labels, requirement->key)))
			return false;
	}
	return true;
}

/* A text of bounded size that grows at its end. */
struct cursor {
	char *at;
	size_t left; /* with the final NUL */
};

static void put(struct cursor *cursor, const char *text)
{
	size_t len = strnlen(text, cursor->left - 1);
	memcpy(cursor->at, text, len);
	cursor->at += len;
	cursor->left -= len;
	*cursor->at = '\0';
}

static void put_requirement(struct cursor *cursor, const struct kube_requirement *requirement)
{
	static const char *const forms[][2] = {
	    [KUBE_SELECT_IN] = {"", " in ("},
	    [KUBE_SELECT_NOT_IN] = {"", " notin ("},
	    [KUBE_SELECT_EXISTS] = {"", ""},
	    [KUBE_SELECT_DOES_NOT_EXIST] = {"!", ""},
	};
	const char *const *form = forms[requirement->op];
	put(cursor, form[0]);
	put(cursor, requirement->key);
	put(cursor, form[1]);
	if (form[1][0] == '\0')
		return;
	for (size_t i = 0; i < requirement->values.count; i++) {
		put(cursor, i > 0 ? "," : "");
		put(cursor, requirement->values.items[i]);
	}
	put(cursor, ")");
}

const char *kube_selector_format(const struct kube_selector *selector, char *out, size_t size)
{
	struct cursor cursor = {out, size};
	if (size == 0)
		return out;
	out[0] = '\0';
	for (size_t i = 0; i < selector->match_labels.count; i++) {
		put(&cursor, i > 0 ? "," : "");
		put(&cursor, selector->match_labels.items[i].key);
		put(&cursor, "=");
		put(&cursor, selector->match_labels.items[i].value);
	}
	for (size_t i = 0; i < selector->match_expressions.count; i++) {
		put(&cursor, i > 0 || selector->match_labels.count > 0 ? "," : "");
		put_requirement(&cursor, &selector->match_expressions.items[i]);
	}
	return out;
}
