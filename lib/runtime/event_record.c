#include "lib/runtime/event_record.h"

#include "lib/base/utf8.h"

#include <inttypes.h>
#include <kube/json.h>
#include <kube/time.h>
#include <string.h>

/* Validation of events.k8s.io/v1 (K8S pkg/apis/core/validation/events.go), in bytes. */
#define NAME_MAX_LEN 253
#define NAME_SUFFIX_LEN 17 /* "." and 16 hex digits */
#define NOTE_MAX_LEN 1024

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* At most max bytes of s, not cut within a character, and its NUL. */
static int add_text(struct kube_buf *buf, const char *s, size_t max)
{
	size_t len = strnlen(or_empty(s), max + 1);
	if (len > max)
		len = utf8_floor(s, max);
	int rc = kube_buf_add(buf, or_empty(s), len);
	return rc < 0 ? rc : kube_buf_add(buf, "", 1);
}

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* DNS-1123: every dotted part begins and ends with a lower-case letter or digit, with '-' allowed inside. */
static bool is_subdomain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool at_edge = i == 0 || i + 1 == len || s[i - 1] == '.' || s[i + 1] == '.';
		if (!is_lower_alnum(s[i]) && (at_edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return len > 0;
}

/* "<regarding name>.<16 hex digits>". Names that are only path segments ("system:node") give way to "event". */
static int add_event_name(struct kube_buf *buf, const char *name, uint64_t random)
{
	size_t len = strnlen(name, NAME_MAX_LEN - NAME_SUFFIX_LEN);
	while (len > 0 && (name[len - 1] == '.' || name[len - 1] == '-'))
		len--;
	if (!is_subdomain(name, len)) {
		name = "event";
		len = strlen(name);
	}
	int rc = kube_buf_addf(buf, "%.*s.%016" PRIx64, (int)len, name, random);
	return rc < 0 ? rc : kube_buf_add(buf, "", 1);
}

static int add_api_version(struct kube_buf *buf, const struct kube_event_ref *ref)
{
	int rc = ref ? kube_resource_api_version(buf, ref->resource) : 0;
	return rc < 0 ? rc : kube_buf_add(buf, "", 1);
}

int event_record_texts(struct kube_buf *buf, const struct kube_event *event, uint64_t random, size_t *ret_identity_len)
{
	static const struct kube_event_ref none;
	const struct kube_event_ref *regarding = &event->regarding, *related = event->related ? event->related : &none;
	const char *namespace_ = or_empty(regarding->namespace_);

	/* A failed buffer stays failed: the last result tells. */
	add_text(buf, namespace_[0] ? namespace_ : "default", NAME_MAX_LEN);
	add_api_version(buf, regarding);
	add_text(buf, regarding->resource->kind, NAME_MAX_LEN);
	add_text(buf, namespace_, NAME_MAX_LEN);
	add_text(buf, regarding->name, NAME_MAX_LEN);
	add_text(buf, regarding->uid, NAME_MAX_LEN);
	add_text(buf, event->warning ? "Warning" : "Normal", EVENT_WORD_MAX_LEN);
	add_text(buf, event->reason, EVENT_WORD_MAX_LEN);
	add_text(buf, event->note, NOTE_MAX_LEN);
	size_t identity_len = buf->len;
	add_event_name(buf, or_empty(regarding->name), random);
	add_text(buf, regarding->resource_version, NAME_MAX_LEN);
	add_text(buf, event->action, EVENT_WORD_MAX_LEN);
	add_api_version(buf, event->related);
	add_text(buf, event->related ? related->resource->kind : "", NAME_MAX_LEN);
	add_text(buf, related->namespace_, NAME_MAX_LEN);
	add_text(buf, related->name, NAME_MAX_LEN);
	add_text(buf, related->uid, NAME_MAX_LEN);
	int rc = add_text(buf, related->resource_version, NAME_MAX_LEN);
	if (rc == 0)
		*ret_identity_len = identity_len;
	return rc;
}

struct member {
	const char *name, *text;
};

static bool add_strings(cJSON *object, const struct member *members, size_t count)
{
	bool ok = object != NULL;
	for (size_t i = 0; i < count && ok; i++)
		ok = members[i].text[0] == '\0' || cJSON_AddStringToObject(object, members[i].name, members[i].text);
	return ok;
}

/* apiVersion, kind, namespace, name and uid lie side by side from first on. */
static bool add_ref(cJSON *body, const char *name, const char *const text[], enum event_text first,
                    enum event_text resource_version)
{
	const struct member members[] = {
	    {"apiVersion", text[first]}, {"kind", text[first + 1]}, {"namespace", text[first + 2]},
	    {"name", text[first + 3]},   {"uid", text[first + 4]},  {"resourceVersion", text[resource_version]},
	};
	return add_strings(cJSON_AddObjectToObject(body, name), members, KUBE_ARRAY_LEN(members));
}

/* The server takes a series from the second occurrence on only. */
static bool add_series(cJSON *body, const struct event_record *record)
{
	char time[KUBE_TIME_TEXT_SIZE];
	if (record->count < 2)
		return true;
	cJSON *member = cJSON_AddObjectToObject(body, "series");
	const struct member last = {"lastObservedTime", kube_time_format_micro(record->last_ms, time)};
	return member && cJSON_AddNumberToObject(member, "count", (double)record->count) && add_strings(member, &last, 1);
}

static bool add_event(cJSON *body, const struct event_record *record, const char *controller, const char *instance)
{
	char time[KUBE_TIME_TEXT_SIZE];
	const char *const *text = record->text;
	const struct member metadata[] = {{"namespace", text[EVENT_TEXT_NAMESPACE]}, {"name", text[EVENT_TEXT_EVENT_NAME]}};
	const struct member members[] = {
	    {"apiVersion", "events.k8s.io/v1"},
	    {"kind", "Event"},
	    {"eventTime", kube_time_format_micro(record->event_ms, time)},
	    {"reportingController", controller},
	    {"reportingInstance", instance},
	    {"type", text[EVENT_TEXT_TYPE]},
	    {"reason", text[EVENT_TEXT_REASON]},
	    {"action", text[EVENT_TEXT_ACTION]},
	    {"note", text[EVENT_TEXT_NOTE]},
	};
	return add_strings(cJSON_AddObjectToObject(body, "metadata"), metadata, KUBE_ARRAY_LEN(metadata)) &&
	       add_strings(body, members, KUBE_ARRAY_LEN(members)) &&
	       add_ref(body, "regarding", text, EVENT_TEXT_API_VERSION, EVENT_TEXT_RESOURCE_VERSION) &&
	       (text[EVENT_TEXT_RELATED_KIND][0] == '\0' ||
	        add_ref(body, "related", text, EVENT_TEXT_RELATED_API_VERSION, EVENT_TEXT_RELATED_RESOURCE_VERSION));
}

cJSON *event_record_body(const struct event_record *record, const char *controller, const char *instance)
{
	_cleanup_json_ cJSON *body = cJSON_CreateObject();
	if (!body || !add_event(body, record, controller, instance) || !add_series(body, record))
		return NULL;
	return take(body);
}

cJSON *event_record_patch(const struct event_record *record)
{
	_cleanup_json_ cJSON *body = cJSON_CreateObject();
	if (!body || !add_series(body, record))
		return NULL;
	return take(body);
}
