/*
 * How the host of a simulated node behaves when a job comes: read from the node's annotation
 * fleet.patchwright.io/behave, a comma-separated list of words:
 *
 *   fail            the job ends with exit code 1
 *   fail-once       the first attempt ends with exit code 1
 *   hang            the job never ends (its deadline ends it)
 *   hold            the job runs until this word is taken away
 *   delay=DURATION  the job takes that long instead of --delay
 *   lag=DURATION    the version shows that much later
 *   hide            the version shows when this word is taken away
 *   lie             the job succeeds, the version stays
 *   version=TEXT    the node shows this version instead
 *   twice           the container is run twice (the work is done twice)
 *   notready        the node goes NotReady and stays so
 *   reboot          NotReady, then a new bootID, then Ready; the job ends well
 *   lost            like reboot, but the node never returns
 *   prepare-fail, verify-fail, rollback-fail
 *                   these jobs end with exit code 1 (all other words are for jobs that change the host)
 */
#ifndef FLEET_BEHAVIOUR_H
#define FLEET_BEHAVIOUR_H

#include <kube/err.h>
#include <kube/mem.h>
#include <stdbool.h>
#include <stdint.h>

struct behaviour {
	bool fail, fail_once, hang, hold, hide, lie, twice, not_ready, reboot, lost, prepare_fail, verify_fail,
	    rollback_fail;
	int64_t lag_ms, delay_ms; /* delay_ms -1: the agent's own */
	const char *version;      /* NULL: what the job asks for */
};

/* text NULL or "": everything goes well. KUBE_E_INVALID names the unknown word. */
int behaviour_parse(const char *text, struct kube_arena *arena, struct behaviour *ret_behaviour, struct kube_err *err);

/* nodeInfo's member for a component ("ContainerRuntime" → "containerRuntimeVersion"); NULL: it has none. */
const char *behaviour_node_info(const char *component);
/* The new value in the manner of the old one: "containerd://1.6.20" + "1.7.27" → "containerd://1.7.27", "v1.33.1" +
 * "1.33.5" → "v1.33.5". */
const char *behaviour_dress(const char *old_value, const char *version, struct kube_arena *arena);

#endif
