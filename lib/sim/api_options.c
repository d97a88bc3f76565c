/* Which options of lists and watches go together (apimachinery pkg/apis/meta/internalversion/validation). */
#include "lib/sim/api.h"

#include <string.h>

static bool refuse(struct api_answer *answer, const char *reason, const char *field, const char *message)
{
	api_refuse_options(answer, "ListOptions", &(struct api_cause){reason, message, field});
	return false;
}

bool api_options_hold(const struct api_request *request, struct api_answer *answer)
{
	const char *match = request->match, *field = "resourceVersionMatch";
	bool exact = strcmp(match, "Exact") == 0, not_older = strcmp(match, "NotOlderThan") == 0;

	if (request->initial_events && !request->watch)
		return refuse(answer, "FieldValueForbidden", "sendInitialEvents",
		              "Forbidden: sendInitialEvents is forbidden for list");
	if (request->initial_events)
		return not_older ||
		       refuse(answer, "FieldValueForbidden", field,
		              "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	if (!*match)
		return true;
	if (request->watch)
		return refuse(answer, "FieldValueForbidden", field,
		              "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	if (!request->version[0])
		return refuse(answer, "FieldValueForbidden", field,
		              "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (request->continue_[0])
		return refuse(answer, "FieldValueForbidden", field,
		              "Forbidden: resourceVersionMatch is forbidden when continue is provided");
	if (!exact && !not_older)
		return refuse(answer, "FieldValueNotSupported", field,
		              "Unsupported value: supported values: \"Exact\", \"NotOlderThan\", \"\"");
	if (exact && strcmp(request->version, "0") == 0)
		return refuse(answer, "FieldValueForbidden", field,
		              "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	return true;
}
