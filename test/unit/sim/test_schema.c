/* Structural schemas: what is dropped, what is filled in, what is refused for which reason. */
#include "lib/sim/api.h"
#include "test/unit/check_main.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA \
	"{'type':'object','required':['spec'],'properties':{'spec':{'type':'object','required':['name'],'properties':{" \
	"'name':{'type':'string','minLength':2,'maxLength':5,'pattern':'^[a-z]+$'}," \
	"'mode':{'type':'string','enum':['A','B'],'default':'A'}," \
	"'count':{'type':'integer','minimum':1,'maximum':9,'default':3}," \
	"'most':{'x-kubernetes-int-or-string':true}," \
	"'at':{'type':'string','format':'date-time'}," \
	"'maybe':{'type':'string','nullable':true}," \
	"'flag':{'type':'boolean'}," \
	"'labels':{'type':'object','maxProperties':2,'additionalProperties':{'type':'string'}}," \
	"'rest':{'type':'object','x-kubernetes-preserve-unknown-fields':true}," \
	"'drain':{'type':'object','default':{},'properties':{'timeout':{'type':'string','default':'15m'}}}," \
	"'items':{'type':'array','minItems':1,'maxItems':2,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['" \
	"key']," \
	"'items':{'type':'object','required':['key'],'properties':{'key':{'type':'string'},'soak':{'type':'string','" \
	"default':'0s'" \
	"}}}}}}}}"

static cJSON *parse(const char *quoted)
{
	char *text = strdup(quoted);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	cJSON *json = cJSON_Parse(text);
	ck_assert_msg(json != NULL, "%s", quoted);
	free(text);
	return json;
}

START_TEST(forms)
{
	static const struct {
		const char *given, *result, *unknown;
	} cases[] = {
	    {"{'spec':{'name':'ab'}}", "{'spec':{'name':'ab','mode':'A','count':3,'drain':{'timeout':'15m'}}}", ""},
	    {"{'spec':{'name':'ab','mode':null,'count':1,'drain':{'timeout':'1m'},'maybe':null}}",
	     "{'spec':{'name':'ab','count':1,'drain':{'timeout':'1m'},'maybe':null,'mode':'A'}}", ""},
	    {"{'spec':{'count':1,'mode':'B','drain':{},'items':[{'key':'a','x':1},{'key':'b','soak':'1s'}]}}",
	     "{'spec':{'count':1,'mode':'B','drain':{'timeout':'15m'},'items':[{'key':'a','soak':'0s'},{'key':'b','soak':'"
	     "1s'}]}}",
	     "unknown field \"spec.items[0].x\""},
	    {"{'kind':'X','apiVersion':'y','metadata':{'z':1},'spec':{'b':1,'rest':{'any':1},'labels':{'l':'m'},'a':2,'"
	     "count':1,"
	     "'mode':'B','drain':{'timeout':''}}}",
	     "{'kind':'X','apiVersion':'y','metadata':{'z':1},'spec':{'rest':{'any':1},'labels':{'l':'m'},'count':1,'mode':"
	     "'B',"
	     "'drain':{'timeout':''}}}",
	     "unknown field \"spec.a\", unknown field \"spec.b\""},
	};
	_cleanup_json_ cJSON *schema = parse(SCHEMA);

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_json_ cJSON *json = parse(cases[i].given), *wanted = parse(cases[i].result);
		struct api_unknown unknown = {0};
		struct api_path path = {0};
		api_prune(schema, json, &path, &unknown);
		api_fill_in_defaults(schema, json);
		_cleanup_free_ char *text = cJSON_PrintUnformatted(json), *names = api_print_unknown(&unknown);
		ck_assert_msg(cJSON_Compare(json, wanted, true), "%s: %s", cases[i].given, text);
		ck_assert_str_eq(names, cases[i].unknown);
	}
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *spec, *field, *reason; /* reason NULL: it is fine */
	} cases[] = {
	    {"{'name':'ab','most':3,'at':'2026-01-01T02:00:00.5+02:00','flag':false,'maybe':null}", NULL, NULL},
	    {"{'name':'ab','most':'3%','labels':{'a':'b'},'items':[{'key':'a'},{'key':'b'}]}", NULL, NULL},
	    {"{}", "spec.name", "FieldValueRequired"},
	    {"{'name':'a'}", "spec.name", "FieldValueInvalid"},
	    {"{'name':'abcdef'}", "spec.name", "FieldValueTooLong"},
	    {"{'name':'\u00e4\u00e4\u00e4\u00e4\u00e4'}", "spec.name",
	     "FieldValueInvalid"}, /* five, and no letters of these */
	    {"{'name':'A1'}", "spec.name", "FieldValueInvalid"},
	    {"{'name':7}", "spec.name", "FieldValueTypeInvalid"},
	    {"{'name':'ab','mode':'C'}", "spec.mode", "FieldValueNotSupported"},
	    {"{'name':'ab','count':0}", "spec.count", "FieldValueInvalid"},
	    {"{'name':'ab','count':10}", "spec.count", "FieldValueInvalid"},
	    {"{'name':'ab','count':1.5}", "spec.count", "FieldValueTypeInvalid"},
	    {"{'name':'ab','most':true}", "spec.most", "FieldValueTypeInvalid"},
	    {"{'name':'ab','at':'now'}", "spec.at", "FieldValueTypeInvalid"},
	    {"{'name':'ab','flag':null}", "spec.flag", "FieldValueTypeInvalid"},
	    {"{'name':'ab','labels':{'a':1}}", "spec.labels.a", "FieldValueTypeInvalid"},
	    {"{'name':'ab','labels':{'a':'','b':'','c':''}}", "spec.labels", "FieldValueTooMany"},
	    {"{'name':'ab','items':[]}", "spec.items", "FieldValueInvalid"},
	    {"{'name':'ab','items':{}}", "spec.items", "FieldValueTypeInvalid"},
	    {"{'name':'ab','items':[{}]}", "spec.items[0].key", "FieldValueRequired"},
	    {"{'name':'ab','items':[{'key':'a'},{'key':'a','soak':'1s'}]}", "spec.items[1]", "FieldValueDuplicate"},
	    {"{'name':'ab','items':[{'key':'a'},{'key':'b'},{'key':'c'}]}", "spec.items", "FieldValueTooMany"},
	};
	_cleanup_json_ cJSON *schema = parse(SCHEMA);

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_json_ cJSON *json = cJSON_CreateObject();
		struct api_problems problems = {0};
		struct api_path path = {0};
		cJSON_AddItemToObject(json, "spec", parse(cases[i].spec));
		api_check_schema(schema, json, &path, &problems);
		ck_assert_msg(problems.count == (cases[i].reason ? 1 : 0), "%s: %zu problems, first %s", cases[i].spec,
		              problems.count, problems.items[0].message);
		if (!cases[i].reason)
			continue;
		ck_assert_str_eq(problems.items[0].field, cases[i].field);
		ck_assert_str_eq(problems.items[0].reason, cases[i].reason);
	}
}
END_TEST

CHECK_MAIN("sim schema", forms, refusals)
