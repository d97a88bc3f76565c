#include "controller/model/resources.h"

#include <kube/quantity.h>
#include <string.h>

#define AT(member) offsetof(struct resource_parts, member)
const struct kube_json_field resource_list_table[] = {
    {.name = "cpu", .type = KUBE_JSON_STRING, .offset = AT(cpu), .lenient = true},
    {.name = "memory", .type = KUBE_JSON_STRING, .offset = AT(memory), .lenient = true},
    {.name = "pods", .type = KUBE_JSON_STRING, .offset = AT(pods), .lenient = true},
    KUBE_JSON_END,
};
#undef AT

/* k8s.io/apimachinery/pkg/api/resource/generated.proto Quantity */
static const struct kube_json_field quantity_table[] = {
    {.name = "string", .number = 1, .type = KUBE_JSON_STRING, .offset = offsetof(struct resource_entry, value)},
    KUBE_JSON_END,
};

const struct kube_json_field resource_entry_table[] = {
    {.name = "key", .number = 1, .type = KUBE_JSON_STRING, .offset = offsetof(struct resource_entry, key)},
    {.name = "value", .number = 2, .type = KUBE_JSON_OBJECT, .table = quantity_table},
    KUBE_JSON_END,
};

static const char *find(const struct resource_parts *parts, const char *name, const char *from_json)
{
	for (size_t i = 0; i < parts->entries.count; i++)
		if (parts->entries.items[i].key && strcmp(parts->entries.items[i].key, name) == 0)
			return parts->entries.items[i].value;
	return from_json;
}

static int64_t amount(const char *text)
{
	int64_t milli = 0;

	if (text)
		kube_quantity_parse(text, &milli, NULL);
	return milli > 0 ? milli : 0;
}

static int64_t whole(int64_t milli)
{
	return milli / 1000 + (milli % 1000 > 0);
}

struct resources resources_of(const struct resource_parts *parts)
{
	return (struct resources){
	    .cpu_m = amount(find(parts, "cpu", parts->cpu)),
	    .memory = whole(amount(find(parts, "memory", parts->memory))),
	    .pods = whole(amount(find(parts, "pods", parts->pods))),
	};
}
