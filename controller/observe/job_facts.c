#include "controller/observe/job_facts.h"
#include <kube/time.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	char *node_uid, *name, *uid;
	struct kube_object *object; /* the pod as read; NULL: it was not */
	struct job_fact fact;
	int64_t created_ms; /* of one that vanished; KUBE_TIME_NONE: it was asked for */
	UT_hash_handle hh;
};

struct job_facts {
	struct entry *entries; /* uthash keeps the order of insertion: the first is the oldest */
};

int job_facts_new(struct job_facts **ret_facts, struct kube_err *err)
{
	struct job_facts *facts = calloc(1, sizeof(*facts));
	if (!facts)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for what is known of job pods");
	*ret_facts = facts;
	return 0;
}

static void free_entry(struct entry *entry)
{
	kube_object_unref(entry->object);
	free(entry->node_uid);
	free(entry->name);
	free(entry->uid);
	free(entry);
}

static void remove_entry(struct job_facts *facts, struct entry *entry)
{
	HASH_DEL(facts->entries, entry);
	free_entry(entry);
}

void job_facts_free(struct job_facts *facts)
{
	if (!facts)
		return;
	while (facts->entries)
		remove_entry(facts, facts->entries);
	free(facts);
}

static struct entry *find(const struct job_facts *facts, const char *node_uid)
{
	struct entry *entry;
	HASH_FIND_STR(facts->entries, node_uid, entry);
	return entry;
}

const struct job_fact *job_facts_get(const struct job_facts *facts, const char *node_uid)
{
	const struct entry *entry = find(facts, node_uid);
	return entry ? &entry->fact : NULL;
}

static struct entry *add_entry(struct job_facts *facts, const char *node_uid, const char *name)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->node_uid = strdup(node_uid);
	entry->name = strdup(name);
	if (entry->node_uid && entry->name) {
		entry->fact = (struct job_fact){.name = entry->name, .read_ms = KUBE_TIME_NONE};
		entry->created_ms = KUBE_TIME_NONE;
		if (HASH_COUNT(facts->entries) >= JOB_FACTS_MAX)
			remove_entry(facts, facts->entries);
		HASH_ADD_KEYPTR(hh, facts->entries, entry->node_uid, strlen(entry->node_uid), entry);
		if (entry->hh.tbl)
			return entry;
	}
	free_entry(entry);
	return NULL;
}

/* The entry of this job pod; whatever was known of another one on the node is over. NULL: out of memory. */
static struct entry *entry_of(struct job_facts *facts, const char *node_uid, const char *name)
{
	struct entry *entry = find(facts, node_uid);
	if (entry && strcmp(entry->name, name) == 0)
		return entry;
	if (entry)
		remove_entry(facts, entry);
	return add_entry(facts, node_uid, name);
}

static void set_uid(struct entry *entry, const char *uid)
{
	char *copy = uid ? strdup(uid) : NULL;
	if (!copy)
		return;
	free(entry->uid);
	entry->uid = copy;
	entry->fact.uid = copy;
}

static void set_object(struct entry *entry, struct kube_object *object)
{
	kube_object_unref(entry->object);
	entry->object = kube_object_ref(object);
	entry->fact.pod = (const struct pod *)object;
}

void job_facts_asked(struct job_facts *facts, const char *node_uid, const char *name)
{
	struct entry *entry = entry_of(facts, node_uid, name);
	if (!entry)
		return;
	entry->fact.absent = false;
	entry->created_ms = KUBE_TIME_NONE;
}

void job_facts_exists(struct job_facts *facts, const char *node_uid, const char *name, const char *uid)
{
	struct entry *entry = entry_of(facts, node_uid, name);
	if (!entry)
		return;
	entry->fact.existed = true;
	set_uid(entry, uid);
}

void job_facts_read(struct job_facts *facts, const char *node_uid, struct kube_object *object, int64_t now_ms)
{
	struct entry *entry = entry_of(facts, node_uid, object->name);
	if (!entry)
		return;
	entry->fact.existed = true;
	entry->fact.absent = false;
	entry->fact.read_ms = now_ms;
	set_uid(entry, object->uid);
	set_object(entry, object);
}

void job_facts_absent(struct job_facts *facts, const char *node_uid, const char *name, const char *uid)
{
	struct entry *entry = entry_of(facts, node_uid, name);
	if (!entry)
		return;
	entry->fact.absent = true;
	entry->fact.existed |= uid != NULL;
	set_uid(entry, uid);
	set_object(entry, NULL);
}

void job_facts_vanished(struct job_facts *facts, const struct pod *pod)
{
	struct entry *entry = find(facts, pod->job_node_uid);
	bool other = entry && strcmp(entry->name, pod->object.name) != 0;

	if (other && (entry->created_ms == KUBE_TIME_NONE || entry->created_ms > pod->object.created_ms))
		return;
	bool asked = entry && !other && entry->created_ms == KUBE_TIME_NONE;
	job_facts_absent(facts, pod->job_node_uid, pod->object.name, pod->object.uid);
	entry = find(facts, pod->job_node_uid);
	if (entry && !asked)
		entry->created_ms = pod->object.created_ms;
}

void job_facts_drop(struct job_facts *facts, const char *node_uid, const char *name)
{
	struct entry *entry = find(facts, node_uid);
	if (entry && strcmp(entry->name, name) == 0)
		remove_entry(facts, entry);
}
