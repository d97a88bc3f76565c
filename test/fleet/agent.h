/*
 * The hosts of simulated nodes: what a kubelet, a container and a node agent would do with a job pod.
 *
 * It watches the job pods and the nodes; a job pod on a simulated node gets a timeline (running, the version changes,
 * the pod ends) in real time, shaped by the node's behaviour. It touches only nodes that carry the annotation
 * kwok.x-k8s.io/node.
 */
#ifndef FLEET_AGENT_H
#define FLEET_AGENT_H

#include <kube/client.h>
#include <kube/reflector.h>

struct agent;

struct agent_options {
	struct kube_client *client;
	const char *job_namespace;
	int64_t delay_ms;         /* how long a job takes */
	const char *fail_version; /* jobs for this version fail on every node; NULL: none */
};

int agent_new(const struct agent_options *options, struct agent **ret_agent, struct kube_err *err);
void agent_free(struct agent *agent);

#endif
