/* The command line of patchwright-controller. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <kube/elector.h>
#include <kube/err.h>
#include <kube/json.h>
#include <kube/log.h>
#include <stdio.h>

#define OPTIONS_MAX_IMAGES 64

struct options {
	const char *kubeconfig, *context; /* NULL: kubectl's rules */
	bool allow_insecure_tls;
	const char *namespace_, *job_namespace;
	const char *images[OPTIONS_MAX_IMAGES]; /* globs */
	size_t image_count;
	bool allow_image_tags;
	const char *allow_endpoints;              /* kube_outgoing_options.allow; "": none */
	const char *listen_address;               /* NULL: no HTTP server */
	const char *zoneinfo;                     /* folder of the time zones */
	const char *pod_name, *pod_namespace;     /* of the pod that we run in; NULL: none, or not known */
	struct kube_intstr max_unavailable_total; /* not set: no such limit */
	bool leader_elect;
	struct kube_elector_times election;
	enum kube_log_level log_level;
	enum kube_log_format log_format;
	bool help, version; /* to be printed instead of anything else */
};

/* Strings are borrowed from argv. KUBE_E_INVALID with one sentence. */
int options_parse(int argc, char **argv, struct options *ret_options, struct kube_err *err);
void options_print_help(FILE *out);

#endif
