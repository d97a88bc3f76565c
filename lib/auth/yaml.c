/* libyaml's events, built into a cJSON tree. */
#include "lib/auth/yaml.h"

#include <kube/json.h>
#include <kube/mem.h>
#include <string.h>
#include <yaml.h>

#define STR_TAG "tag:yaml.org,2002:str"

struct reader {
	yaml_parser_t parser;
	int nodes;
	struct kube_err *err;
};

static int read_node(struct reader *reader, const yaml_event_t *event, int depth, cJSON **ret_json);

static int refuse(struct reader *reader, const yaml_event_t *event, const char *what)
{
	return kube_fail(reader->err, KUBE_E_PARSE, "line %zu: %s", event->start_mark.line + 1, what);
}

static int no_memory(struct reader *reader)
{
	return kube_fail(reader->err, KUBE_E_NOMEM, "out of memory while reading YAML");
}

static int next_event(struct reader *reader, yaml_event_t *ret_event)
{
	if (yaml_parser_parse(&reader->parser, ret_event))
		return 0;
	const yaml_parser_t *parser = &reader->parser;
	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(reader);
	if (parser->error == YAML_READER_ERROR)
		return kube_fail(reader->err, KUBE_E_PARSE, "byte %zu: %s", parser->problem_offset, parser->problem);
	return kube_fail(reader->err, KUBE_E_PARSE, "line %zu: %s", parser->problem_mark.line + 1, parser->problem);
}

/* RFC 8259's number, which is also YAML 1.2's JSON schema: no octal, no 0x, no .inf. */
static bool is_number(const char *s)
{
	s += *s == '-';
	size_t digits = strspn(s, "0123456789");
	if (digits == 0 || (digits > 1 && s[0] == '0'))
		return false;
	s += digits;
	if (*s == '.') {
		digits = strspn(++s, "0123456789");
		if (digits == 0)
			return false;
		s += digits;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		digits = strspn(s, "0123456789");
		if (digits == 0)
			return false;
		s += digits;
	}
	return *s == '\0';
}

static cJSON *plain_value(const char *text)
{
	if (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
		return cJSON_CreateNull();
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return cJSON_CreateBool(*text == 't');
	if (is_number(text))
		return cJSON_CreateNumber(strtod(text, NULL));
	return cJSON_CreateString(text);
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, cJSON **ret_json)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_string = tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(text) != event->data.scalar.length)
		return refuse(reader, event, "a string contains a NUL character");
	if (tag && strcmp(tag, STR_TAG) != 0 && strcmp(tag, "!") != 0)
		return refuse(reader, event, "tags other than !!str are not supported");
	cJSON *json = is_string ? cJSON_CreateString(text) : plain_value(text);
	if (!json)
		return no_memory(reader);
	*ret_json = json;
	return 0;
}

static int read_sequence(struct reader *reader, int depth, cJSON **ret_json)
{
	_cleanup_json_ cJSON *list = cJSON_CreateArray();
	if (!list)
		return no_memory(reader);
	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t event = {0};
		cJSON *item = NULL;
		int rc = next_event(reader, &event);
		if (rc == 0 && event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (rc == 0)
			rc = read_node(reader, &event, depth + 1, &item);
		if (rc != 0)
			return rc;
		cJSON_AddItemToArray(list, item);
	}
	*ret_json = take(list);
	return 0;
}

static int check_key(struct reader *reader, const yaml_event_t *event, const cJSON *map, int members)
{
	if (event->type != YAML_SCALAR_EVENT)
		return refuse(reader, event, "a key must be a plain word or a string");
	const char *key = (const char *)event->data.scalar.value;
	if (strlen(key) != event->data.scalar.length)
		return refuse(reader, event, "a key contains a NUL character");
	if (members >= KUBE_YAML_MAX_MEMBERS)
		return kube_fail(reader->err, KUBE_E_LIMIT, "line %zu: a mapping has more than %d members",
		                 event->start_mark.line + 1, KUBE_YAML_MAX_MEMBERS);
	if (cJSON_GetObjectItemCaseSensitive(map, key))
		return kube_fail(reader->err, KUBE_E_PARSE, "line %zu: the key \"%s\" occurs twice in one mapping",
		                 event->start_mark.line + 1, key);
	return 0;
}

static int read_member(struct reader *reader, const yaml_event_t *key, int depth, cJSON *map)
{
	_cleanup_(yaml_event_delete) yaml_event_t event = {0};
	_cleanup_json_ cJSON *value = NULL;
	int rc = next_event(reader, &event);
	if (rc == 0)
		rc = read_node(reader, &event, depth + 1, &value);
	if (rc != 0)
		return rc;
	if (!cJSON_AddItemToObject(map, (const char *)key->data.scalar.value, value))
		return no_memory(reader);
	value = NULL; /* the map's now */
	return 0;
}

static int read_mapping(struct reader *reader, int depth, cJSON **ret_json)
{
	_cleanup_json_ cJSON *map = cJSON_CreateObject();
	if (!map)
		return no_memory(reader);
	for (int members = 0;; members++) {
		_cleanup_(yaml_event_delete) yaml_event_t key = {0};
		int rc = next_event(reader, &key);
		if (rc == 0 && key.type == YAML_MAPPING_END_EVENT)
			break;
		if (rc == 0)
			rc = check_key(reader, &key, map, members);
		if (rc == 0)
			rc = read_member(reader, &key, depth, map);
		if (rc != 0)
			return rc;
	}
	*ret_json = take(map);
	return 0;
}

static int read_node(struct reader *reader, const yaml_event_t *event, int depth, cJSON **ret_json)
{
	if (depth > KUBE_JSON_MAX_DEPTH)
		return kube_fail(reader->err, KUBE_E_LIMIT, "line %zu: nested deeper than %d levels",
		                 event->start_mark.line + 1, KUBE_JSON_MAX_DEPTH);
	if (++reader->nodes > KUBE_YAML_MAX_NODES)
		return kube_fail(reader->err, KUBE_E_LIMIT, "line %zu: more than %d values", event->start_mark.line + 1,
		                 KUBE_YAML_MAX_NODES);
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader, event, ret_json);
	if (event->type == YAML_ALIAS_EVENT)
		return refuse(reader, event, "aliases (*name) are not supported, write the value out");
	bool tagged = event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag != NULL
	                                                       : event->data.mapping_start.tag != NULL;
	if (tagged)
		return refuse(reader, event, "tags other than !!str are not supported");
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return read_sequence(reader, depth, ret_json);
	return read_mapping(reader, depth, ret_json);
}

/* What comes between stream start and end: nothing, or one document. */
static int read_stream(struct reader *reader, cJSON **ret_json)
{
	_cleanup_json_ cJSON *json = NULL;
	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t event = {0};
		int rc = next_event(reader, &event);
		if (rc != 0)
			return rc;
		if (event.type == YAML_STREAM_END_EVENT)
			break;
		if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT)
			continue;
		if (event.type == YAML_DOCUMENT_START_EVENT && !json)
			continue;
		if (json)
			return refuse(reader, &event, "only one document is expected");
		rc = read_node(reader, &event, 1, &json);
		if (rc != 0)
			return rc;
	}
	if (!json && !(json = cJSON_CreateNull()))
		return no_memory(reader);
	*ret_json = take(json);
	return 0;
}

int kube_yaml_parse(const char *text, size_t len, cJSON **ret_json, struct kube_err *err)
{
	if (len > KUBE_YAML_MAX_BYTES)
		return kube_fail(err, KUBE_E_LIMIT, "more than %zu bytes", KUBE_YAML_MAX_BYTES);
	struct reader reader = {.err = err};
	if (!yaml_parser_initialize(&reader.parser))
		return no_memory(&reader);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	int rc = read_stream(&reader, ret_json);
	yaml_parser_delete(&reader.parser);
	return rc;
}
