"""Scripts of requests (test/data/conformance), played to two API servers, and what of their answers must be equal.

A script is a JSON object: "about", "let" (named bodies) and "steps". A step says what
happens ("say") and is one of

  {"GET"|"POST"|"PUT"|"PATCH"|"DELETE": PATH, "query": {}, "body": BODY, "type": "merge"|"json"|"strategic"}
      "code": both servers' status. "keep": {VARIABLE: path in the answer}. "until": {path: value}: sent again until the
      answer says so. "message": true: the texts are equal as well. "except": [paths of the answer that may differ].
  {"watch": NAME, "GET": PATH, "query": {}, "code"}   opens a watch
  {"events": NAME, "until": OBJECT | "count": N | "ended": true}   what it has said, up to the first event of that object,
      or so many, or all up to its end
  {"do": ACTION, "value": …}   something around the servers happens: a method of Side

{variable} stands for its value in each text. A body may be {"@": NAME OF A NAMED BODY, "dotted.path": value, …}; null
removes. "only": "real" or "sim": the other server is not asked. "differs": WHY, with "sim": STATUS: it is known that
the simulated server cannot know better; what it answers is stated, and the answers are not compared further.
"""

import copy
import json
import re
import time
import urllib.parse

from .wait import WAIT

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TYPES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json",
         "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CEL = re.compile(r'Invalid value: "(object|array|string|integer|number|boolean)": ')
GENERATED = re.compile(r"(?<=-)[bcdfghjklmnpqrstvwxz2456789]{5}\b")
# Of every object, and of no use to anybody here.
UNSEEN = ("resourceVersion", "managedFields", "selfLink", "generateName")


class Side:
    """One server with its variables, and what it answered to each step."""

    name = None

    def __init__(self, player, variables):
        self.player = player
        self.variables = dict(variables)
        self.answers = []

    def fill(self, value):
        """The value with its variables in place; names that are no variables stay as they are."""
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda found: str(self.variables.get(found[1], found[0])), value)
        if isinstance(value, dict):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        return [self.fill(item) for item in value] if isinstance(value, list) else value

    def target(self, step):
        path = next(step[method] for method in METHODS if method in step)
        query = urllib.parse.urlencode(self.fill(step.get("query", {})))
        return self.fill(path) + ("?" + query if query else "")

    def play(self, step, let):
        if step.get("only", self.name) != self.name:
            return self.answers.append(None)
        if "do" in step:
            return self.answers.append(getattr(self, step["do"].replace(" ", "_"))(step.get("value")))
        if "events" in step:
            return self.answers.append(self._events(step))
        if "watch" in step:
            return self.answers.append(self.player.watch(step["watch"], self.target(step)))
        answer = self._request(step, let)
        for variable, path in step.get("keep", {}).items():
            self.variables[variable] = look(answer[2], path)
        return self.answers.append(answer)

    def _request(self, step, let):
        method = next(method for method in METHODS if method in step)
        body = step.get("body")
        text = body if isinstance(body, str) else None if body is None else json.dumps(build(body, let), ensure_ascii=False)
        deadline = time.monotonic() + WAIT
        while True:
            answer = self.player.request(method, self.target(step), TYPES.get(step.get("type")), self.fill(text))
            wanted = self.fill(step.get("until", {}))
            if all(look(answer[2], path) == value for path, value in wanted.items()) and \
               ("until" not in step or answer[0] == step["code"]):
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: {step['say']}: after {WAIT} s still not {wanted}: {answer}")
            self.pass_by()

    def _events(self, step):
        events, ended = [], False
        deadline = time.monotonic() + WAIT
        while not (ended or self._enough(step, events)):
            left = deadline - time.monotonic()
            more, ended = self.player.events(step["events"], 1, max(left, 0))
            for event in more:  # what comes with it in one piece may be further on than was asked for
                events += [] if self._enough(step, events) else [event]
            if left <= 0:
                raise AssertionError(f"{self.name}: {step['say']}: nothing more after {WAIT} s: {events}")
        return 200, None, {"events": events, **({"ended": ended} if "ended" in step else {})}

    def _enough(self, step, events):
        if "ended" in step:
            return False
        if "count" in step:
            return len(events) >= step["count"]
        return any(look(event, "object.metadata.name") == self.fill(step["until"]) for event in events)

    def pass_by(self):
        self.player.tell(**{"pass": 25})


def look(value, path):
    """What is at a dotted path, in which a number is an index; None: nothing."""
    for word in path.split("."):
        if isinstance(value, list) and word.isdigit():
            value = value[int(word)] if int(word) < len(value) else None
        else:
            value = value.get(word) if isinstance(value, dict) else None
    return value


def build(body, let):
    """A body in which {"@": name} stands for a named one, changed at dotted paths (a "/" in front: one plain key)."""
    if isinstance(body, list):
        return [build(item, let) for item in body]
    if not isinstance(body, dict):
        return body
    if "@" not in body:
        return {key: build(item, let) for key, item in body.items()}
    made = copy.deepcopy(build(let[body["@"]], let))
    for path, value in body.items():
        if path != "@":
            put(made, path.split("."), build(value, let))
    return made


def put(tree, words, value):
    for word in words[:-1]:
        tree = tree[int(word)] if isinstance(tree, list) else tree.setdefault(word, {})
    if value is None:
        tree.pop(words[-1], None)
    else:
        tree[words[-1]] = value


# --- what must be equal ---

class Comparison:
    def __init__(self, defaults):
        self.defaults = defaults  # {kind: [(dotted path, what the real server fills in there)]}

    def normal(self, side, step, answer):
        """An answer without what differs by nature: identities, versions, times, the server's own defaults."""
        code, retry_after, body = answer
        tree = {"code": code, "retryAfter": retry_after, "body": self._tree(side, body, step.get("message", False))}
        for path in step.get("except", []):
            drop(tree["body"], path.split("."))
        return tree

    def _tree(self, side, value, message):
        if isinstance(value, list):
            return [self._tree(side, item, message) for item in value]
        if isinstance(value, str):
            return self._text(side, value)
        if not isinstance(value, dict):
            return value
        if value.get("kind") == "Status" and "status" in value:
            return self._status(side, value, message)
        if isinstance(value.get("items"), list):  # a list's items do not say what they are
            value = {**value, "items": [self._object(item, value["kind"].removesuffix("List")) for item in value["items"]]}
        if value.get("type") == "BOOKMARK" and "object" in value:  # only its metadata count
            value = {**value, "object": {"metadata": value["object"]["metadata"]}}
        if "metadata" in value:
            value = self._object(value, value.get("kind"))
        return {key: self._tree(side, item, message) for key, item in value.items() if item is not None}  # null: nothing

    def _object(self, value, kind):
        value = copy.deepcopy(value)
        metadata = value.get("metadata", {})
        for key in UNSEEN:
            metadata.pop(key, None)
        if "continue" in metadata:
            metadata["continue"] = "<more>" if metadata["continue"] else None
        for path, fallback in self.defaults.get(kind, []):
            drop(value, path.split("."), lambda found, fallback=fallback: found == fallback)
        return value

    def _status(self, side, value, message):
        details = dict(value.get("details", {}))
        # A set, as the real server says some things twice.
        details["causes"] = sorted({(cause.get("reason", ""), cause.get("field", "")) for cause in details.get("causes", [])
                                    if not of_cel(cause)})
        kept = {key: value[key] for key in ("status", "reason", "code") if key in value}
        kept["details"] = {key: self._tree(side, item, False) for key, item in details.items()}
        if message:
            kept["message"] = re.sub(r"\d+", "<n>", self._text(side, value.get("message", "")))
        return kept

    @staticmethod
    def _text(side, text):
        known = {str(value): name for name, value in side.variables.items() if value and len(str(value)) >= 20}
        text = UUID.sub(lambda found: "<" + known.get(found[0], "uid") + ">", text)
        return GENERATED.sub("<any>", TIME.sub("<time>", text))


def of_cel(cause):
    """A CEL rule's refusal shows the type, not the value; "<nil>" are the rules that were not checked."""
    return cause.get("field") == "<nil>" or cause.get("reason") == "FieldValueInvalid" and CEL.match(cause.get("message", ""))


def drop(tree, words, goes=lambda _: True):
    """Removes what is at a path, if goes(it); "*" stands for each item of a list. What is empty then goes as well."""
    if isinstance(tree, list):
        if words == ["*"]:
            tree[:] = [item for item in tree if not goes(item)]
        for item in tree:
            drop(item, words[1:], goes)
    elif isinstance(tree, dict) and words and words[0] in tree:
        drop(tree[words[0]], words[1:], goes)
        if goes(tree[words[0]]) if len(words) == 1 else tree[words[0]] in ({}, []):
            del tree[words[0]]


def differences(one, other, path=""):
    """The paths at which two trees differ, with both values."""
    if type(one) is type(other) is dict:
        return [line for key in sorted({*one, *other}) for line in
                differences(one.get(key, "(nothing)"), other.get(key, "(nothing)"), f"{path}.{key}")]
    if type(one) is type(other) is list and len(one) == len(other):
        return [line for i, pair in enumerate(zip(one, other)) for line in differences(*pair, f"{path}.{i}")]
    return [] if one == other else [f"{path.lstrip('.')}: real {json.dumps(one)}, simulated {json.dumps(other)}"]
