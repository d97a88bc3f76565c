/* fleet-agent: plays the hosts of simulated nodes (see agent.h and behaviour.h). */
#include "test/fleet/agent.h"
#include <getopt.h>
#include <kube/session.h>
#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	const char *kubeconfig, *context;
	struct agent_options agent;
};

static void usage(FILE *out)
{
	fputs("usage: fleet-agent [--kubeconfig FILE] [--context NAME] [--job-namespace patchwright-jobs] [--delay 2s] "
	      "[--fail-version VERSION]\n"
	      "Plays the hosts of simulated nodes: ends job pods and changes the versions that their nodes show.\n",
	      out);
}

static int parse(int argc, char **argv, struct options *ret_options, struct kube_err *err)
{
	static const struct option known[] = {
	    {"kubeconfig", required_argument, NULL, 'k'},
	    {"context", required_argument, NULL, 'c'},
	    {"job-namespace", required_argument, NULL, 'n'},
	    {"delay", required_argument, NULL, 'd'},
	    {"fail-version", required_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct options options = {.agent = {.job_namespace = "patchwright-jobs", .delay_ms = 2000}};

	for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
		switch (option) {
		case 'k': options.kubeconfig = optarg; break;
		case 'c': options.context = optarg; break;
		case 'n': options.agent.job_namespace = optarg; break;
		case 'f': options.agent.fail_version = optarg; break;
		case 'd':
			if (kube_duration_parse(optarg, &options.agent.delay_ms, err) != 0)
				return kube_err_prefix(err, "--delay");
			break;
		case 'h': usage(stdout); exit(EXIT_SUCCESS);
		default: return kube_fail(err, KUBE_E_INVALID, "see --help");
		}
	}
	if (optind < argc)
		return kube_fail(err, KUBE_E_INVALID, "unexpected argument %s", argv[optind]);
	*ret_options = options;
	return 0;
}

static void stop(void *arg, int signo, int count)
{
	(void)signo;
	if (count > 1)
		_Exit(1);
	kube_loop_stop(arg);
}

static int run(const struct options *options, struct kube_session *session, struct kube_err *err)
{
	struct agent *agent = NULL;
	struct agent_options agent_options = options->agent;

	agent_options.client = session->client;
	int result = agent_new(&agent_options, &agent, err);
	if (!result)
		result = kube_loop_on_signal(session->loop, stop, session->loop, err);
	if (!result)
		kube_loop_run(session->loop);
	agent_free(agent);
	return result;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct kube_err err = {0};
	struct kube_session session = {0};

	int result = parse(argc, argv, &options, &err);
	const struct kube_config_options where = {.kubeconfig = options.kubeconfig, .context = options.context};
	if (!result)
		result = kube_session_open(&session, &where, "fleet-agent/" PATCHWRIGHT_VERSION, &err);
	if (!result)
		result = run(&options, &session, &err);
	kube_session_close(&session);
	if (result)
		fprintf(stderr, "fleet-agent: %s\n", err.message);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
