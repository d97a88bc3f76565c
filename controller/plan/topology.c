/*
 * strategy.topology: in how many domains (zones, racks: the values of a node label) nodes are in work at the same time.
 * A domain that was begun is brought to its end before the next one begins, as far as its nodes can be started at all;
 * nodes without the label are a domain of their own.
 */
#include "controller/plan/budget.h"
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct domain {
	const char *name;
	bool working; /* a node of it is in work */
	bool begun;   /* a node of it was, in this wave */
	bool waits;   /* a node of it could be started */
	UT_hash_handle hh;
};

static bool opened(const struct domain *domain)
{
	return domain->working || (domain->begun && domain->waits);
}

static struct domain *domain_of(const struct domains *domains, const struct node *node)
{
	const char *name = kube_strmap_get(&node->labels, domains->topology->key);
	struct domain *found = NULL;

	name = name ? name : "";
	HASH_FIND(hh, domains->set, name, strlen(name), found);
	return found;
}

static struct domain *domain_add(struct pass *pass, struct domains *domains, const struct node *node)
{
	struct domain *domain = domain_of(domains, node);

	if (domain)
		return domain;
	const char *name = kube_strmap_get(&node->labels, domains->topology->key);
	domain = plan_alloc(pass->arena, sizeof(*domain));
	domain->name = name ? name : "";
	HASH_ADD_KEYPTR(hh, domains->set, domain->name, strlen(domain->name), domain);
	return domain;
}

void domains_begin(struct pass *pass, const struct wave_spec *wave, struct domains *ret_domains)
{
	struct domains domains = {.topology = wave->topology ? wave->topology : pass->rules->topology};

	for (size_t i = 0; domains.topology && i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		if (!target->view->node || target->kind == TARGET_UP_TO_DATE || target->kind == TARGET_EXCEPTED)
			continue;
		struct domain *domain = domain_add(pass, &domains, target->view->node);
		domain->working |= target->kind == TARGET_WORKING;
		domain->begun |= target->kind == TARGET_ENDED && target->wave == wave;
	}
	*ret_domains = domains;
}

void domains_note_waiting(struct domains *domains, const struct node *node)
{
	if (domains->topology)
		domain_of(domains, node)->waits = true;
}

/* Those that were begun come first where there is room for one more. */
bool domains_allow(const struct domains *domains, const struct node *node)
{
	int64_t working = 0, begun = 0;

	if (!domains->topology)
		return true;
	for (const struct domain *domain = domains->set; domain; domain = domain->hh.next) {
		working += domain->working;
		begun += !domain->working && opened(domain);
	}
	const struct domain *own = domain_of(domains, node);
	return own->working || working + (opened(own) ? 0 : begun) < domains->topology->max_domains;
}

const char *domains_text(struct pass *pass, const struct domains *domains)
{
	const struct domain *domain = domains->set;
	while (domain && !opened(domain))
		domain = domain->hh.next;
	return plan_printf(pass->arena, "%s %s is in progress, and at most %lld may be", domains->topology->key,
	                   domain && *domain->name ? domain->name : "(without the label)",
	                   (long long)domains->topology->max_domains);
}

void domains_note_start(struct domains *domains, const struct node *node)
{
	if (domains->topology)
		domain_of(domains, node)->working = true;
}

void domains_end(struct domains *domains)
{
	HASH_CLEAR(hh, domains->set);
}
