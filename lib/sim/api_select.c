/* Label and field selectors of queries (apimachinery pkg/labels, pkg/fields): "a=b,c!=d,e,!f,g in (h,i)". */
#include "lib/sim/api.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum term_type { TERM_THERE, TERM_ABSENT, TERM_IN, TERM_NOT_IN };

/* One requirement; values are what stands between the parentheses, or the one value. */
struct term {
	enum term_type type;
	char name[320], values[512];
};

static void copy_trimmed(const char *from, size_t len, char *out, size_t size)
{
	while (len > 0 && isspace((unsigned char)from[0])) {
		from++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	snprintf(out, size, "%.*s", (int)len, from);
}

/* The length of the next requirement: up to a comma outside of parentheses. */
static size_t length_of_term(const char *text)
{
	size_t len = 0;

	for (int depth = 0; text[len] && (depth > 0 || text[len] != ','); len++)
		depth += text[len] == '(' ? 1 : text[len] == ')' ? -1 : 0;
	return len;
}

/* "key in (a, b)" */
static bool parse_set(const char *text, struct term *term)
{
	const char *blank = strchr(text, ' '), *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;
	char word[16] = "";

	if (!blank || !open || !close || open < blank)
		return false;
	copy_trimmed(blank, (size_t)(open - blank), word, sizeof(word));
	copy_trimmed(text, (size_t)(blank - text), term->name, sizeof(term->name));
	copy_trimmed(open + 1, (size_t)(close - open - 1), term->values, sizeof(term->values));
	term->type = strcmp(word, "in") == 0 ? TERM_IN : TERM_NOT_IN;
	return term->type == TERM_IN || strcmp(word, "notin") == 0;
}

static bool parse_term(const char *text, struct term *term)
{
	const char *equals = strchr(text, '='), *blank = strchr(text, ' ');
	bool differs = equals && equals > text && equals[-1] == '!';

	*term = (struct term){.type = text[0] == '!' ? TERM_ABSENT : TERM_THERE};
	if (equals) {
		const char *value = equals + 1 + (equals[1] == '=');
		term->type = differs ? TERM_NOT_IN : TERM_IN;
		copy_trimmed(text, (size_t)(equals - text) - differs, term->name, sizeof(term->name));
		copy_trimmed(value, strlen(value), term->values, sizeof(term->values));
	} else if (blank) {
		return parse_set(text, term);
	} else {
		snprintf(term->name, sizeof(term->name), "%s", text + (text[0] == '!'));
	}
	return term->name[0] != '\0';
}

/* Takes the next requirement off *text. False: there is none, or (*ret_bad) it cannot be read. */
static bool next_term(const char **text, struct term *term, bool *ret_bad)
{
	char copy[512];
	size_t len;

	do {
		len = length_of_term(*text);
		copy_trimmed(*text, len, copy, sizeof(copy));
		*text += len + ((*text)[len] == ',');
	} while (!copy[0] && **text);
	*ret_bad = copy[0] && !parse_term(copy, term);
	return copy[0] && !*ret_bad;
}

static bool among(const char *values, const char *is)
{
	char value[320];

	for (;;) {
		size_t len = length_of_term(values);
		copy_trimmed(values, len, value, sizeof(value));
		if (strcmp(value, is) == 0)
			return true;
		if (!values[len])
			return false;
		values += len + 1;
	}
}

static const char *label_of(const cJSON *json, const char *name)
{
	const cJSON *labels = kube_json_get(json, "metadata.labels");
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, name));
}

static const char *field_of(const cJSON *json, const char *path)
{
	const cJSON *value = kube_json_get(json, path);

	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	return cJSON_IsString(value) ? value->valuestring : ""; /* fields are always there */
}

static bool holds(const struct term *term, const char *is)
{
	switch (term->type) {
	case TERM_THERE: return is != NULL;
	case TERM_ABSENT: return !is;
	case TERM_IN: return is && among(term->values, is);
	case TERM_NOT_IN: return !is || !among(term->values, is);
	}
	return false;
}

static bool all_hold(const cJSON *json, const char *selector, bool labels)
{
	struct term term;
	bool bad;

	while (next_term(&selector, &term, &bad))
		if (!holds(&term, labels ? label_of(json, term.name) : field_of(json, term.name)))
			return false;
	return true;
}

bool api_selected(const cJSON *json, const char *namespace_, const char *labels, const char *fields)
{
	if (*namespace_ && strcmp(field_of(json, "metadata.namespace"), namespace_) != 0)
		return false;
	return all_hold(json, labels, true) && all_hold(json, fields, false);
}

/* ---- what may be selected ---- */

static bool is_word_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; at && (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

bool api_can_select(const struct api_request *request, struct api_answer *answer)
{
	const char *labels = request->labels, *fields = request->fields;
	struct term term;
	bool bad;

	while (next_term(&labels, &term, &bad))
		;
	if (bad) {
		api_refuse_plainly(answer, 400, "BadRequest", "unable to parse requirement in \"%s\"", request->labels);
		return false;
	}
	while (next_term(&fields, &term, &bad)) {
		if (is_word_of("metadata.name metadata.namespace", term.name) ||
		    is_word_of(api_rules_of(request->kind)->fields, term.name))
			continue;
		api_refuse_plainly(answer, 400, "BadRequest", "field label not supported: %s", term.name);
		return false;
	}
	return true;
}
