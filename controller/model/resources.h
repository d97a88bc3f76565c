/* Amounts of what the scheduler counts: processors, memory, pods. */
#ifndef MODEL_RESOURCES_H
#define MODEL_RESOURCES_H

#include <kube/json.h>
#include <stdint.h>

struct resources {
	int64_t cpu_m;  /* thousandths of a processor */
	int64_t memory; /* bytes */
	int64_t pods;
};

/* A ResourceList as it is read: by name from JSON, as entries of a map from protobuf. */
struct resource_parts {
	const char *cpu, *memory, *pods;
	struct {
		struct resource_entry {
			const char *key, *value;
		} * items;
		size_t count;
	} entries;
};
extern const struct kube_json_field resource_list_table[], resource_entry_table[];

/* Two fields of a table for the member of a struct: JSON's and protobuf's. */
#define RESOURCE_LIST(its_name, its_number, its_offset) \
	{.name = (its_name), \
	 .type = KUBE_JSON_OBJECT, \
	 .offset = (its_offset), \
	 .lenient = true, \
	 .table = resource_list_table}, \
	{ \
		.name = "(" its_name ")", .number = (its_number), .type = KUBE_JSON_LIST, \
		.offset = (its_offset) + offsetof(struct resource_parts, entries), .lenient = true, \
		.table = resource_entry_table, .size = sizeof(struct resource_entry) \
	}

/* What cannot be read counts as nothing. */
struct resources resources_of(const struct resource_parts *parts);

#endif
