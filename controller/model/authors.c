#include "controller/model/authors.h"
#include "controller/model/policy.h"

#include <string.h>

#define AT(member) offsetof(struct author, member)
static const struct kube_json_field author_table[] = {
    {.name = "user", .type = KUBE_JSON_STRING, .offset = AT(user)},
    {.name = "generation", .type = KUBE_JSON_INT, .offset = AT(generation), .required = true},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct authors, member)
const struct kube_json_field authors_table[] = {
    {.name = "generation", .type = KUBE_JSON_INT, .offset = AT(generation), .required = true},
    {.name = "policyHash", .type = KUBE_JSON_STRING, .offset = AT(policy_hash)},
    {.name = "users", .type = KUBE_JSON_LIST, .offset = AT(list), .table = author_table, .size = sizeof(struct author)},
    KUBE_JSON_END,
};
#undef AT

void authors_complete(struct authors *authors)
{
	for (size_t i = 0; i < authors->list.count; i++)
		if (!authors->list.items[i].user)
			authors->list.items[i].user = "";
}

static struct author *find(const struct authors *authors, const char *user)
{
	for (size_t i = 0; i < authors->list.count; i++)
		if (strcmp(authors->list.items[i].user, user) == 0)
			return &authors->list.items[i];
	return NULL;
}

const struct author *authors_unknown(const struct authors *authors)
{
	return find(authors, "");
}

bool authors_have(const struct authors *authors, const char *user)
{
	return find(authors, user) != NULL;
}

/* More than there is room for are more than are known. */
static void add(struct authors *authors, const char *user, int64_t generation)
{
	struct author *known = find(authors, user);
	if (known) {
		known->generation = generation;
		return;
	}
	bool full = authors->list.count == MAX_AUTHORS;
	size_t at = full ? MAX_AUTHORS - 1 : authors->list.count++;
	authors->list.items[at] = (struct author){.user = full ? "" : user, .generation = generation};
}

static void drop_unknown(struct authors *authors)
{
	size_t kept = 0;
	for (size_t i = 0; i < authors->list.count; i++)
		if (*authors->list.items[i].user)
			authors->list.items[kept++] = authors->list.items[i];
	authors->list.count = kept;
}

static void drop_approved(struct authors *authors, int64_t generation)
{
	size_t kept = 0;
	for (size_t i = 0; i < authors->list.count; i++)
		if (authors->list.items[i].generation > generation)
			authors->list.items[kept++] = authors->list.items[i];
	authors->list.count = kept;
}

/* The spec is the one that was looked at, but another one says that it is his: he answers for what nobody did. */
static void take_over(struct authors *authors, const struct policy *policy)
{
	if (!*policy->author || authors_have(authors, policy->author))
		return;
	drop_unknown(authors);
	add(authors, policy->author, policy->object.generation);
}

struct authors authors_now(const struct policy *policy, int64_t approved_generation, struct author *items)
{
	const struct authors *seen = &policy->authors;
	int64_t generation = policy->object.generation;
	struct authors now = {.generation = generation, .policy_hash = policy->hash, .list = {.items = items}};
	bool same_rules = seen->policy_hash && strcmp(seen->policy_hash, policy->hash) == 0;

	for (size_t i = 0; i < seen->list.count && i < MAX_AUTHORS; i++)
		now.list.items[now.list.count++] = seen->list.items[i];
	if (seen->generation == generation) {
		take_over(&now, policy);
	} else if (!same_rules) {
		if (generation != seen->generation + 1)
			add(&now, "", generation - 1);
		add(&now, policy->author, generation);
	}
	drop_approved(&now, approved_generation);
	return now;
}
