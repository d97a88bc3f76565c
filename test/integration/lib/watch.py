"""A thread that records every change of a resource, with the time at which it was seen."""

import collections
import http.client
import json
import socket
import threading
import time
import urllib.parse

from .api import ApiError, Client, path_of
from .wait import WAIT, Timeout

Event = collections.namedtuple("Event", "time type object")  # time: time.monotonic(); type: ADDED, MODIFIED, DELETED


class Recorder:
    """Records from construction on; objects that exist then come first, as ADDED.

    with Recorder(client.kubeconfig, "nodes") as nodes:
        nodes.wait_for(lambda event: event.type == "DELETED", 10, "a node is deleted")

    keep(object): what of an object is recorded, with its metadata. None: all.
    """

    def __init__(self, kubeconfig, plural, namespace=None, keep=None):
        self._client = Client(kubeconfig)
        self._path = path_of(plural, None, namespace)
        self._plural = plural
        self._keep = keep or (lambda item: item)
        self._changed = threading.Condition()
        self._events = []
        self._objects = {}  # key -> newest object
        self._newest = {}  # key -> version of its last event, also of what is deleted
        self._stopped = False
        self._connection = None
        self._version = None
        self._relist = False
        self._failure = None
        self._list()
        self._thread = threading.Thread(target=self._run, name=f"watch {plural}", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def events(self, name=None):
        """All events so far, or those of the objects with that name: at least up to what the server shows now."""
        self._catch_up()
        return [e for e in self.seen() if name is None or e.object["metadata"]["name"] == name]

    def seen(self):
        """The events that have come so far, without asking the server whether there are more."""
        with self._changed:
            return list(self._events)

    def objects(self):
        """The objects as they are now."""
        with self._changed:
            return list(self._objects.values())

    def _catch_up(self):
        """A watch tells of a change a moment after a GET shows it."""
        with self._changed:
            known = set(self._objects)
        answer = self._client.request("GET", self._path)
        listed = {_key(item): _version(item) for item in answer["items"]}
        upto = _version(answer)

        def current():
            newest = {key: _version(item) for key, item in self._objects.items()}
            return (all(self._newest.get(key, 0) >= version for key, version in listed.items())
                    and all(newest.get(key, upto + 1) > upto for key in known - set(listed)))
        with self._changed:
            if not self._changed.wait_for(lambda: self._failure or current(), WAIT) or self._failure:
                raise Timeout(f"after {WAIT} s the watch of {self._plural} is behind ({self._failure or 'watching'})")

    def wait_for(self, predicate, timeout, what):
        """The first event, past or coming, for which predicate(event) holds."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for event in self._events[seen:]:
                    if predicate(event):
                        return event
                seen = len(self._events)
                left = deadline - time.monotonic()
                if left <= 0 or self._failure:
                    break
                self._changed.wait(left)
        raise Timeout(f"after {timeout} s no event of {self._plural}: {what} ({seen} events; {self._failure or 'watching'})")

    def stop(self):
        self._stopped = True
        self.interrupt()
        self._thread.join(10)

    def interrupt(self, relist=False):
        """Cuts the connection, as a server that restarts would. Goes on from where it was, or with a new list."""
        self._relist = relist
        connection = self._connection
        if connection and connection.sock:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already

    # --- the thread ---

    def _list(self):
        answer = self._client.request("GET", self._path)
        kind = answer["kind"].removesuffix("List")
        fresh = {}
        for item in answer["items"]:
            item.update(kind=kind, apiVersion=answer["apiVersion"])
            fresh[_key(item)] = self._keep(item)
        with self._changed:
            for key in set(self._objects) - set(fresh):
                self._add("DELETED", self._objects[key])
            for key, item in fresh.items():
                old = self._objects.get(key)
                if old is None or old["metadata"]["uid"] != item["metadata"]["uid"]:
                    self._add("ADDED", item)
                elif old["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                    self._add("MODIFIED", item)
        self._version = answer["metadata"]["resourceVersion"]

    def _add(self, kind, item):
        self._events.append(Event(time.monotonic(), kind, item))
        self._newest[_key(item)] = _version(item)
        if kind == "DELETED":
            self._objects.pop(_key(item), None)
        else:
            self._objects[_key(item)] = item
        self._changed.notify_all()

    def _run(self):
        while not self._stopped:
            try:
                if self._version is None or self._relist:
                    self._relist = False
                    self._list()
                self._watch()
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                self._pause(error)
            except ApiError as error:
                self._version = None
                self._pause(error)
            except Exception as error:  # pylint: disable=broad-except
                with self._changed:
                    self._failure = f"the watch ended: {error!r}"
                    self._changed.notify_all()
                return

    def _pause(self, _error):
        if not self._stopped:
            time.sleep(0.1)  # the server is away for a moment; a retry without a pause would spin

    def _watch(self):
        query = urllib.parse.urlencode(
            {"watch": "true", "resourceVersion": self._version, "allowWatchBookmarks": "true", "timeoutSeconds": 300})
        self._connection = self._client.kubeconfig.connect(timeout=120)
        try:
            self._connection.request("GET", f"{self._path}?{query}", headers=self._client.kubeconfig.headers())
            answer = self._connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, {"message": answer.read().decode(errors="replace")}, "watch")
            while line := answer.readline():
                self._take(json.loads(line))
        finally:
            self._connection.close()

    def _take(self, event):
        if event["type"] == "ERROR":
            raise ApiError(event["object"].get("code", 0), event["object"], "watch")
        self._version = event["object"]["metadata"]["resourceVersion"]
        if event["type"] != "BOOKMARK":
            with self._changed:
                self._add(event["type"], self._keep(event["object"]))


def _version(item):
    return int(item["metadata"]["resourceVersion"])


def _key(item):
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
