/* Secrets that policies name: they may be missing, come later, or be meant for something else. */
#include "test/sim/world.h"

const struct kube_resource sim_secrets = {
    .group = "", .version = "v1", .plural = "secrets", .kind = "Secret", .namespaced = true};

bool secret_there(const struct world *world, const char *namespace_, const char *name)
{
	return kube_sim_api_get(world->api, &sim_secrets, namespace_, name) != NULL;
}

void secret_put(struct world *world, const char *namespace_, const char *name, const char *rest)
{
	char target[128];
	bool there = secret_there(world, namespace_, name);

	snprintf(target, sizeof(target), "/api/v1/namespaces/%s/secrets%s%s", namespace_, there ? "/" : "",
	         there ? name : "");
	world_trace(world, "the Secret %s/%s is written", namespace_, name);
	kube_sim_api_do(world->api, there ? "PUT" : "POST", target, NULL,
	                "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'%s'%s}}", name, rest);
}

void secret_take(struct world *world, const char *namespace_, const char *name)
{
	char target[128];

	snprintf(target, sizeof(target), "/api/v1/namespaces/%s/secrets/%s", namespace_, name);
	world_trace(world, "the Secret %s/%s is taken away", namespace_, name);
	kube_sim_api_call(world->api, "DELETE", target, NULL, NULL, NULL);
}
