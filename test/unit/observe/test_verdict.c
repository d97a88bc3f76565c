/* What the answers of gates' sources mean. None may pass by mistake. */
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include "controller/observe/verdict.h"

#include <kube/mem.h>

static char *text_of(const char *quoted)
{
	char *text = strdup(quoted);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return text;
}

static void check(const char *what, struct verdict verdict, int expected, const char *says)
{
	ck_assert_msg(verdict.verdict == expected, "%s: %s, \"%s\"", what, gate_verdict_names[verdict.verdict],
	              verdict.message);
	ck_assert_msg(strstr(verdict.message, says) != NULL, "%s: \"%s\" does not say: %s", what, verdict.message, says);
	ck_assert_msg(strstr(verdict.message, "SECRET") == NULL, "%s: \"%s\" quotes the body", what, verdict.message);
}

#define VECTOR(list) "{'status':'success','data':{'resultType':'vector','result':[" list "]}}"
#define SERIES(value) "{'metric':{'a':'SECRET'},'value':[1700000000.1,'" value "']}"

static const struct {
	const char *min, *max;
	int status;
	const char *body;
	int verdict;
	const char *says;
} prometheus[] = {
    {NULL, "0", 200, VECTOR(SERIES("0")), GATE_OPEN, "the value is 0"},
    {NULL, "0", 200, VECTOR(SERIES("-1")), GATE_OPEN, "the value is -1"},
    {NULL, "0", 200, VECTOR(SERIES("1")), GATE_CLOSED, "the value 1 is above max 0"},
    {NULL, "0.01", 200, VECTOR(SERIES("0.01")), GATE_OPEN, "0.01"},
    {NULL, "0.01", 200, VECTOR(SERIES("0.0100001")), GATE_CLOSED, "above max 0.01"},
    {"2", NULL, 200, VECTOR(SERIES("1.5")), GATE_CLOSED, "the value 1.5 is below min 2"},
    {"2", NULL, 200, VECTOR(SERIES("2")), GATE_OPEN, ""},
    {"-1", "1", 200, VECTOR(SERIES("1e-3")), GATE_OPEN, ""},
    {NULL, "0", 200, VECTOR(SERIES("+Inf")), GATE_CLOSED, "above max"},
    {"0", NULL, 200, VECTOR(SERIES("-Inf")), GATE_CLOSED, "below min"},
    {NULL, "0", 200, VECTOR(SERIES("NaN")), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR(SERIES("0") "," SERIES("NaN")), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR(SERIES("")), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR(SERIES("0x")), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR("{'value':[1]}"), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR("{'value':0}"), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR("7"), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR("{'histogram':[1,{'count':'0'}]}"), GATE_ERROR, "not a number"},
    {NULL, "0", 200, VECTOR(""), GATE_ERROR, "gives no data; end it with \"or vector(0)\""},
    /* every series counts, not the first or the last */
    {NULL, "0", 200, VECTOR(SERIES("0") "," SERIES("3") "," SERIES("0")), GATE_CLOSED, "the value 3, of 3 series,"},
    {NULL, "0", 200, VECTOR(SERIES("3") "," SERIES("0")), GATE_CLOSED, "the value 3"},
    {"1", NULL, 200, VECTOR(SERIES("5") "," SERIES("0") "," SERIES("5")), GATE_CLOSED, "the value 0"},
    {"0", "9", 200, VECTOR(SERIES("1") "," SERIES("4")), GATE_OPEN, "the values of 2 series are from 1 to 4"},
    {NULL, "0", 200, "{'status':'success','data':{'resultType':'scalar','result':[1,'0']}}", GATE_OPEN, "is 0"},
    {NULL, "0", 200, "{'status':'success','data':{'resultType':'scalar','result':[1,'2']}}", GATE_CLOSED, "above"},
    {NULL, "0", 200, "{'status':'success','data':{'resultType':'string','result':[1,'0']}}", GATE_ERROR, "a text"},
    {NULL, "0", 200, "{'status':'success','data':{'resultType':'matrix','result':[]}}", GATE_ERROR, "a range"},
    {NULL, "0", 200, "{'status':'success','data':{'resultType':'vector'}}", GATE_ERROR, "not that of a Prometheus"},
    {NULL, "0", 200, "{'status':'success','warnings':['SECRET'],'data':{'resultType':'scalar','result':[1,'0']}}",
     GATE_ERROR, "comes with warnings"},
    {NULL, "0", 200, "{'status':'success','warnings':[],'data':{'resultType':'scalar','result':[1,'0']}}", GATE_OPEN,
     ""},
    {NULL, "0", 200, "{'status':'success','infos':['x'],'data':{'resultType':'scalar','result':[1,'0']}}", GATE_OPEN,
     ""},
    {NULL, "0", 400, "{'status':'error','errorType':'bad_data','error':'SECRET'}", GATE_ERROR,
     "fails with status 400: bad_data, so the query is wrong"},
    {NULL, "0", 503, "{'status':'error','errorType':'timeout','error':'SECRET'}", GATE_ERROR, "timeout"},
    {NULL, "0", 422, "{'status':'error','errorType':'SECRET'}", GATE_ERROR, "no reason that is known"},
    {NULL, "0", 200, "{'status':'error','errorType':'execution'}", GATE_ERROR, "execution"},
    {NULL, "0", 503, VECTOR(SERIES("0")), GATE_ERROR, "answers 503"},
    {NULL, "0", 204, VECTOR(SERIES("0")), GATE_ERROR, "answers 204"},
    {NULL, "0", 302, VECTOR(SERIES("0")), GATE_ERROR, "redirects are not followed"},
    {NULL, "0", 401, "SECRET", GATE_ERROR, "answers 401"},
    {NULL, "0", 200, "SECRET", GATE_ERROR, "not that of a Prometheus query"},
    {NULL, "0", 200, "", GATE_ERROR, "not that of a Prometheus query"},
    {NULL, "0", 200, "[]", GATE_ERROR, "not that of a Prometheus query"},
    {NULL, "0", 200, "{'status':'ok'}", GATE_ERROR, "not that of a Prometheus query"},
};

START_TEST(of_prometheus)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(prometheus); i++) {
		const struct gate_spec gate = {.prometheus = {.min = prometheus[i].min, .max = prometheus[i].max}};
		_cleanup_free_ char *body = text_of(prometheus[i].body);
		check(prometheus[i].body, verdict_of_prometheus(&gate, prometheus[i].status, body, strlen(body)),
		      prometheus[i].verdict, prometheus[i].says);
	}
}
END_TEST

static const struct {
	int64_t wanted;
	const char *field, *value;
	int status;
	const char *body;
	int verdict;
	const char *says;
} http[] = {
    {200, NULL, NULL, 200, "", GATE_OPEN, "answers 200"},
    {204, NULL, NULL, 204, "", GATE_OPEN, "answers 204"},
    {200, NULL, NULL, 503, "SECRET", GATE_CLOSED, "answers 503, not 200"},
    {200, NULL, NULL, 302, "", GATE_CLOSED, "redirects are not followed"},
    {200, "ready", "true", 200, "{'ready':true}", GATE_OPEN, "the field ready of the answer is \"true\""},
    {200, "ready", "true", 200, "{'ready':'true'}", GATE_OPEN, ""},
    {200, "ready", "true", 200, "{'ready':false}", GATE_CLOSED, "is not \"true\""},
    {200, "ready", "true", 200, "{'ready':'SECRET'}", GATE_CLOSED, "is not \"true\""},
    {200, "a.b", "7", 200, "{'a':{'b':7}}", GATE_OPEN, ""},
    {200, "a.b", "7", 200, "{'a':{'b':7.5}}", GATE_CLOSED, ""},
    {200, "a.b", "7", 200, "{'a':7}", GATE_ERROR, "has no field a.b"},
    {200, "a", "null", 200, "{'a':null}", GATE_ERROR, "has no field a"},
    {200, "a", "x", 200, "SECRET", GATE_ERROR, "no JSON"},
    {200, "a", "x", 200, "", GATE_ERROR, "no JSON"},
    {200, "a", "x", 503, "{'a':'x'}", GATE_CLOSED, "503"},
};

START_TEST(of_http)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(http); i++) {
		const struct gate_spec gate = {
		    .http = {.status = http[i].wanted, .field = http[i].field, .value = http[i].value}};
		_cleanup_free_ char *body = text_of(http[i].body);
		check(http[i].body, verdict_of_http(&gate, http[i].status, body, strlen(body)), http[i].verdict, http[i].says);
	}
}
END_TEST

static const struct {
	bool percent;
	int64_t least, matching, ready;
	int verdict;
} pods[] = {
    {true, 100, 3, 3, GATE_OPEN},  {true, 100, 3, 2, GATE_CLOSED}, {true, 50, 3, 2, GATE_OPEN},
    {true, 50, 3, 1, GATE_CLOSED}, {false, 2, 3, 2, GATE_OPEN},    {false, 2, 3, 1, GATE_CLOSED},
    {false, 5, 3, 3, GATE_CLOSED}, {true, 100, 0, 0, GATE_ERROR},  {false, 1, 0, 0, GATE_ERROR},
};

START_TEST(of_pods)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(pods); i++) {
		const struct gate_spec gate = {
		    .pods = {.namespace_ = "shop", .min_ready = {true, pods[i].percent, pods[i].least}}};
		struct verdict verdict = verdict_of_pods(&gate, pods[i].matching, pods[i].ready);
		ck_assert_msg(verdict.verdict == pods[i].verdict, "row %zu: %s", i, verdict.message);
	}
}
END_TEST

#define CONDITION(status) "'conditions':[{'type':'Other','status':'True'},{'type':'Ready','status':'" status "'}]"

static const struct {
	const char *wanted, *object;
	int verdict;
	const char *says;
} resources[] = {
    {"True", "{'status':{" CONDITION("True") "}}", GATE_OPEN, "the condition Ready of Thing t is True"},
    {"False", "{'status':{" CONDITION("False") "}}", GATE_OPEN, ""},
    {"True", "{'status':{" CONDITION("False") "}}", GATE_CLOSED, "is not True"},
    {"True", "{'status':{" CONDITION("Unknown") "}}", GATE_CLOSED, "is not True"},
    {"True", "{'status':{'conditions':[{'type':'Other','status':'True'}]}}", GATE_ERROR, "has no condition Ready"},
    {"True", "{'status':{'conditions':7}}", GATE_ERROR, "has no condition"},
    {"True", "{}", GATE_ERROR, "has no condition"},
    {"True", "{'metadata':{'generation':3},'status':{'observedGeneration':3," CONDITION("True") "}}", GATE_OPEN, ""},
    {"True", "{'metadata':{'generation':3},'status':{'observedGeneration':2," CONDITION("True") "}}", GATE_CLOSED,
     "older than its spec"},
    {"True",
     "{'metadata':{'generation':3},'status':{'conditions':[{'type':'Ready','status':'True','observedGeneration':2}]}}",
     GATE_CLOSED, "older than its spec"},
};

START_TEST(of_resources)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(resources); i++) {
		const struct gate_spec gate = {
		    .resource = {.kind = "Thing", .name = "t", .condition = "Ready", .status = resources[i].wanted}};
		_cleanup_json_ cJSON *object = json_of(resources[i].object);
		check(resources[i].object, verdict_of_resource(&gate, object), resources[i].verdict, resources[i].says);
	}
}
END_TEST

CHECK_MAIN("verdict", of_prometheus, of_http, of_pods, of_resources)
