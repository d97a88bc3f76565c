#include "controller/cmd/options.h"
#include <ctype.h>
#include <getopt.h>
#include <kube/time.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_KUBECONFIG = 256,
	OPT_CONTEXT,
	OPT_INSECURE,
	OPT_NAMESPACE,
	OPT_JOB_NAMESPACE,
	OPT_IMAGES,
	OPT_IMAGE_TAGS,
	OPT_ENDPOINTS,
	OPT_LISTEN,
	OPT_ZONEINFO,
	OPT_POD_NAME,
	OPT_POD_NAMESPACE,
	OPT_MAX_UNAVAILABLE_TOTAL,
	OPT_LEADER_ELECT,
	OPT_LEASE_DURATION,
	OPT_RENEW_DEADLINE,
	OPT_RETRY_PERIOD,
	OPT_LOG_LEVEL,
	OPT_LOG_FORMAT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
    {"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
    {"context", required_argument, NULL, OPT_CONTEXT},
    {"allow-insecure-tls", no_argument, NULL, OPT_INSECURE},
    {"namespace", required_argument, NULL, OPT_NAMESPACE},
    {"job-namespace", required_argument, NULL, OPT_JOB_NAMESPACE},
    {"allowed-job-images", required_argument, NULL, OPT_IMAGES},
    {"allow-image-tags", no_argument, NULL, OPT_IMAGE_TAGS},
    {"allow-endpoints", required_argument, NULL, OPT_ENDPOINTS},
    {"listen-address", required_argument, NULL, OPT_LISTEN},
    {"zoneinfo", required_argument, NULL, OPT_ZONEINFO},
    {"pod-name", required_argument, NULL, OPT_POD_NAME},
    {"pod-namespace", required_argument, NULL, OPT_POD_NAMESPACE},
    {"max-unavailable-total", required_argument, NULL, OPT_MAX_UNAVAILABLE_TOTAL},
    {"leader-elect", no_argument, NULL, OPT_LEADER_ELECT},
    {"leader-elect-lease-duration", required_argument, NULL, OPT_LEASE_DURATION},
    {"leader-elect-renew-deadline", required_argument, NULL, OPT_RENEW_DEADLINE},
    {"leader-elect-retry-period", required_argument, NULL, OPT_RETRY_PERIOD},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

void options_print_help(FILE *out)
{
	fputs(
	    "patchwright-controller: keeps nodes at the patch level that PatchPolicies declare.\n"
	    "\n"
	    "  --kubeconfig FILE          where the API server is (default: KUBECONFIG, ~/.kube/config, in-cluster)\n"
	    "  --context NAME             the kubeconfig's context (default: its current one)\n"
	    "  --allow-insecure-tls       accept a kubeconfig with insecure-skip-tls-verify: anybody may pass for the "
	    "server\n"
	    "  --namespace NAME           where plans and ledgers are kept (default: patchwright-system)\n"
	    "  --job-namespace NAME       where job pods run (default: patchwright-jobs)\n"
	    "  --allowed-job-images GLOB  images that jobs may use; may be repeated (default: *)\n"
	    "  --allow-image-tags         allow job images without a digest\n"
	    "  --allow-endpoints LIST     servers that policies may name although they are at a loopback, link-local or "
	    "the "
	    "API\n"
	    "                             server's address, or speak plain http: names, addresses and CIDRs, with a port "
	    "if "
	    "need\n"
	    "                             be, separated by commas (default: none)\n"
	    "  --listen-address ADDRESS   of /healthz, /readyz and /metrics (default: :8080; empty: none)\n"
	    "  --zoneinfo FOLDER          the time zones of maintenance windows (default: /usr/share/zoneinfo)\n"
	    "  --pod-name NAME, --pod-namespace NAME\n"
	    "                             the pod that this controller runs in (default: POD_NAME and POD_NAMESPACE of "
	    "the\n"
	    "                             environment): its node is drained last, and the pod last of all\n"
	    "  --max-unavailable-total N  how many nodes of the cluster may be unavailable before no more are started, "
	    "over "
	    "all\n"
	    "                             policies: a number, or a percentage of all nodes (default: no such limit)\n"
	    "  --leader-elect             work only while holding the Lease patchwright-controller in --namespace, so "
	    "that\n"
	    "                             several may run\n"
	    "  --leader-elect-lease-duration DURATION, --leader-elect-renew-deadline DURATION,\n"
	    "  --leader-elect-retry-period DURATION\n"
	    "                             how long others leave a silent leader alone (default: 15s), how long it goes on\n"
	    "                             by itself (10s), and how often it renews (2s)\n"
	    "  --log-level LEVEL          debug, info, warn or error (default: info)\n"
	    "  --log-format FORMAT        text or json (default: text)\n"
	    "  --version, --help\n",
	    out);
}

/* RFC 1123 label, as a Namespace's name must be. */
static int parse_namespace(const char *option, const char *text, const char **ret_name, struct kube_err *err)
{
	size_t len = strlen(text);
	size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (len == 0 || len > 63 || good != len || text[0] == '-' || text[len - 1] == '-')
		return kube_fail(err, KUBE_E_INVALID,
		                 "%s \"%s\" is no namespace name: it takes 1 to 63 lower-case letters, digits and inner '-'",
		                 option, text);
	*ret_name = text;
	return 0;
}

static int parse_folder(const char *option, const char *text, const char **ret_folder, struct kube_err *err)
{
	if (text[0] != '/')
		return kube_fail(err, KUBE_E_INVALID, "%s \"%s\" is no absolute path", option, text);
	*ret_folder = text;
	return 0;
}

static int add_images(struct options *options, const char *glob, struct kube_err *err)
{
	if (!*glob)
		return kube_fail(err, KUBE_E_INVALID,
		                 "--allowed-job-images must not be empty: give a glob such as "
		                 "\"registry.example/patchers/*\", or leave it out to allow any image");
	if (options->image_count == OPTIONS_MAX_IMAGES)
		return kube_fail(err, KUBE_E_LIMIT, "--allowed-job-images may be given %d times at most", OPTIONS_MAX_IMAGES);
	options->images[options->image_count++] = glob;
	return 0;
}

static int of_option(const char *option, int rc, struct kube_err *err)
{
	return rc < 0 ? kube_err_prefix(err, "%s", option) : 0;
}

static int parse_duration(const char *text, int64_t *ret_ms, struct kube_err *err)
{
	int64_t ms;
	int rc = kube_duration_parse(text, &ms, err);
	if (rc < 0)
		return rc;
	if (ms == 0)
		return kube_fail(err, KUBE_E_INVALID, "must be above 0");
	*ret_ms = ms;
	return 0;
}

/* A number from 1 on, or a percentage from 1% to 100%. */
static int parse_total(const char *text, struct kube_intstr *ret_value, struct kube_err *err)
{
	size_t digits = strspn(text, "0123456789");
	bool percent = strcmp(text + digits, "%") == 0;
	int64_t value = digits > 0 && digits <= 9 && (percent || !text[digits]) ? strtoll(text, NULL, 10) : 0;
	if (value == 0 || (percent && value > 100))
		return kube_fail(err, KUBE_E_INVALID,
		                 "--max-unavailable-total \"%s\" is neither a number of nodes from 1 on nor a percentage from "
		                 "1%% to 100%%",
		                 text);
	*ret_value = (struct kube_intstr){.set = true, .percent = percent, .value = value};
	return 0;
}

static int set_option(struct options *options, int option, const char *value, struct kube_err *err)
{
	switch (option) {
	case OPT_KUBECONFIG: options->kubeconfig = value; return 0;
	case OPT_CONTEXT: options->context = value; return 0;
	case OPT_INSECURE: options->allow_insecure_tls = true; return 0;
	case OPT_NAMESPACE: return parse_namespace("--namespace", value, &options->namespace_, err);
	case OPT_JOB_NAMESPACE: return parse_namespace("--job-namespace", value, &options->job_namespace, err);
	case OPT_IMAGES: return add_images(options, value, err);
	case OPT_IMAGE_TAGS: options->allow_image_tags = true; return 0;
	case OPT_ZONEINFO: return parse_folder("--zoneinfo", value, &options->zoneinfo, err);
	case OPT_ENDPOINTS: options->allow_endpoints = value; return 0;
	case OPT_LISTEN: options->listen_address = *value ? value : NULL; return 0;
	case OPT_POD_NAME: options->pod_name = *value ? value : NULL; return 0;
	case OPT_POD_NAMESPACE: return parse_namespace("--pod-namespace", value, &options->pod_namespace, err);
	case OPT_MAX_UNAVAILABLE_TOTAL: return parse_total(value, &options->max_unavailable_total, err);
	case OPT_LEADER_ELECT: options->leader_elect = true; return 0;
	case OPT_LEASE_DURATION:
		return of_option("--leader-elect-lease-duration", parse_duration(value, &options->election.lease_ms, err), err);
	case OPT_RENEW_DEADLINE:
		return of_option("--leader-elect-renew-deadline", parse_duration(value, &options->election.renew_ms, err), err);
	case OPT_RETRY_PERIOD:
		return of_option("--leader-elect-retry-period", parse_duration(value, &options->election.retry_ms, err), err);
	case OPT_LOG_LEVEL: return of_option("--log-level", kube_log_level_parse(value, &options->log_level, err), err);
	case OPT_LOG_FORMAT: return of_option("--log-format", kube_log_format_parse(value, &options->log_format, err), err);
	case OPT_VERSION: options->version = true; return 0;
	case OPT_HELP: options->help = true; return 0;
	}
	return kube_fail(err, KUBE_E_INVALID, "unknown option number %d", option);
}

/* getopt's own messages are several words short of a sentence; argv[optind - 1] is what it stumbled over. */
static int refuse(int answer, char **argv, struct kube_err *err)
{
	const char *word = argv[optind - 1];
	if (answer == ':')
		return kube_fail(err, KUBE_E_INVALID, "option %s needs a value: see --help", word);
	if (optopt && isgraph(optopt) && strncmp(word, "--", 2) != 0)
		return kube_fail(err, KUBE_E_INVALID, "unknown option -%c: see --help", optopt);
	if (optopt)
		return kube_fail(err, KUBE_E_INVALID, "option %s takes no value: see --help", word);
	return kube_fail(err, KUBE_E_INVALID, "unknown option %s: see --help", word);
}

static int parse_all(int argc, char **argv, struct options *options, struct kube_err *err)
{
	optind = 0; /* a full reset, so that it can be called again */
	opterr = 0;
	for (;;) {
		int option = getopt_long(argc, argv, ":", long_options, NULL);
		if (option == -1)
			break;
		if (option == '?' || option == ':')
			return refuse(option, argv, err);
		int rc = set_option(options, option, optarg, err);
		if (rc < 0)
			return rc;
	}
	if (optind < argc)
		return kube_fail(err, KUBE_E_INVALID, "unexpected argument \"%s\": see --help", argv[optind]);
	return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options, struct kube_err *err)
{
	struct options options = {
	    .namespace_ = "patchwright-system",
	    .job_namespace = "patchwright-jobs",
	    .listen_address = ":8080",
	    .zoneinfo = "/usr/share/zoneinfo",
	    .allow_endpoints = "",
	    .log_level = KUBE_LOG_INFO,
	    .log_format = KUBE_LOG_TEXT,
	    .pod_name = getenv("POD_NAME"), /* the downward API */
	    .pod_namespace = getenv("POD_NAMESPACE"),
	};
	int rc = parse_all(argc, argv, &options, err);
	if (rc == 0)
		rc = of_option("--leader-elect", kube_elector_check_times(&options.election, err), err);
	if (rc < 0)
		return rc;
	if (options.image_count == 0)
		options.images[options.image_count++] = "*";
	*ret_options = options;
	return 0;
}
