"""A small client of the Kubernetes API on http.client and ssl."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

# plural -> (API path, namespaced)
RESOURCES = {
    "nodes": ("/api/v1", False),
    "namespaces": ("/api/v1", False),
    "pods": ("/api/v1", True),
    "serviceaccounts": ("/api/v1", True),
    "secrets": ("/api/v1", True),
    "configmaps": ("/api/v1", True),
    "deployments": ("/apis/apps/v1", True),
    "daemonsets": ("/apis/apps/v1", True),
    "statefulsets": ("/apis/apps/v1", True),
    "jobs": ("/apis/batch/v1", True),
    "persistentvolumes": ("/api/v1", False),
    "persistentvolumeclaims": ("/api/v1", True),
    "volumeattachments": ("/apis/storage.k8s.io/v1", False),
    "validatingwebhookconfigurations": ("/apis/admissionregistration.k8s.io/v1", False),
    "controllerrevisions": ("/apis/apps/v1", True),
    "poddisruptionbudgets": ("/apis/policy/v1", True),
    "leases": ("/apis/coordination.k8s.io/v1", True),
    "events": ("/apis/events.k8s.io/v1", True),
    "customresourcedefinitions": ("/apis/apiextensions.k8s.io/v1", False),
    "validatingadmissionpolicies": ("/apis/admissionregistration.k8s.io/v1", False),
    "validatingadmissionpolicybindings": ("/apis/admissionregistration.k8s.io/v1", False),
    "clusterroles": ("/apis/rbac.authorization.k8s.io/v1", False),
    "clusterrolebindings": ("/apis/rbac.authorization.k8s.io/v1", False),
    "roles": ("/apis/rbac.authorization.k8s.io/v1", True),
    "patchpolicies": ("/apis/patchwright.io/v1alpha1", False),
    "patchrollouts": ("/apis/patchwright.io/v1alpha1", False),
    "patchreports": ("/apis/patchwright.io/v1alpha1", False),
    "patchapprovals": ("/apis/patchwright.io/v1alpha1", False),
}
PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
REQUEST_TIMEOUT = 30


class ApiError(Exception):
    """An answer other than 2xx. `status` is the decoded Status object."""

    def __init__(self, code, status, request):
        self.code = code
        self.status = status
        self.reason = status.get("reason", "")
        self.message = status.get("message", "")
        super().__init__(f"{request}: {code} {self.reason}: {self.message}")


class Kubeconfig:
    """The current context of a kubeconfig: server, TLS context, token."""

    def __init__(self, path, kubectl="kubectl"):
        view = subprocess.run(
            [kubectl, "config", "view", "--raw", "--flatten", "--minify", "-o", "json", "--kubeconfig", path],
            check=True, capture_output=True, text=True, timeout=30)
        config = json.loads(view.stdout)
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        address = urllib.parse.urlsplit(cluster["server"])
        self.path = path
        self.server = cluster["server"]
        self.host, self.port = address.hostname, address.port or 443
        self.certificate_authority = cluster["certificate-authority-data"]
        self.token = user.get("token")
        self.tls = ssl.create_default_context(cadata=base64.b64decode(self.certificate_authority).decode())
        if "client-certificate-data" in user:
            self._load_certificate(user)

    def _load_certificate(self, user):
        # ssl takes certificates from files only.
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for key in ("client-certificate-data", "client-key-data"):
                names.append(os.path.join(folder, key))
                with open(os.open(names[-1], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                    file.write(base64.b64decode(user[key]))
            self.tls.load_cert_chain(*names)

    def connect(self, timeout=REQUEST_TIMEOUT):
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def path_of(plural, name=None, namespace=None, subresource=None):
    prefix, namespaced = RESOURCES[plural]
    parts = [prefix]
    if namespaced and namespace:
        parts += ["namespaces", namespace]
    parts.append(plural)
    if name:
        parts.append(urllib.parse.quote(name, safe=""))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


class Client:
    """Requests by plural and name, one connection a thread. Every answer other than 2xx raises ApiError."""

    def __init__(self, kubeconfig, user=None, groups=()):
        """user, groups: to be impersonated."""
        self.kubeconfig = kubeconfig
        self._impersonate = [("Impersonate-User", user)] if user else []
        self._impersonate += [("Impersonate-Group", group) for group in groups]
        self._local = threading.local()

    def as_user(self, user, *groups):
        """The same server, as somebody else."""
        return Client(self.kubeconfig, user, groups)

    def request(self, method, path, body=None, content_type="application/json", query=None):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        headers = {"Accept": "application/json", **self.kubeconfig.headers()}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        answer, text = self._exchange(method, path, data, headers)
        decoded = _decode(text)
        if answer.status // 100 != 2:
            raise ApiError(answer.status, decoded, f"{method} {path}")
        return decoded

    def _exchange(self, method, path, data, headers):
        reused = getattr(self._local, "connection", None) is not None
        if not reused:
            self._local.connection = self.kubeconfig.connect()
        connection = self._local.connection
        try:
            connection.putrequest(method, path)
            for name, value in [*headers.items(), *self._impersonate]:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(data or b"")))
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer, answer.read()
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self._drop()
            # A kept connection may have been closed by a server that was restarted meanwhile: try a new one.
            if not reused:
                raise
            return self._exchange(method, path, data, headers)
        except BaseException:
            self._drop()
            raise

    def _drop(self):
        self._local.connection.close()
        self._local.connection = None

    def get(self, plural, name, namespace=None):
        return self.request("GET", path_of(plural, name, namespace))

    def find(self, plural, name, namespace=None):
        """As get, but None when there is no such object."""
        try:
            return self.get(plural, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, plural, namespace=None, selector=None):
        query = {"labelSelector": selector} if selector else None
        return self.request("GET", path_of(plural, None, namespace), query=query)["items"]

    def create(self, plural, body, namespace=None, dry_run=False, subresource=None, name=None):
        """Fields that the server does not know are refused (fieldValidation=Strict)."""
        query = {"fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.request("POST", path_of(plural, name, namespace, subresource), body, query=query)

    def replace(self, plural, body, namespace=None, subresource=None):
        path = path_of(plural, body["metadata"]["name"], namespace, subresource)
        return self.request("PUT", path, body, query={"fieldValidation": "Strict"})

    def patch(self, plural, name, body, namespace=None, kind="merge", subresource=None):
        path = path_of(plural, name, namespace, subresource)
        return self.request("PATCH", path, body, PATCH_TYPES[kind], {"fieldValidation": "Strict"})

    def delete(self, plural, name, namespace=None, grace=None):
        """Deletes; it is fine when there is no such object."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            return self.request("DELETE", path_of(plural, name, namespace), body)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def delete_all(self, plural, namespace, grace=None):
        """Deletes all objects of a namespace in one request."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": grace}
        return self.request("DELETE", path_of(plural, None, namespace), body)


def _decode(text):
    try:
        decoded = json.loads(text) if text else {}
    except ValueError:
        decoded = text.decode(errors="replace")
    return decoded if isinstance(decoded, dict) else {"message": str(decoded)}
