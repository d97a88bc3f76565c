"""Who libkube says it is, and how it renews that: the API server is asked who we are, and kubectl is asked the same."""

import base64
import json
import pathlib
import subprocess
import time
import urllib.parse

from lib.case import ClusterTest
from lib.cluster import SYSTEM
from lib.probe import Probe
from lib.relay import ConnectProxy
from lib.wait import WAIT, wait_for

ACCOUNT = "patchwright-controller"
V1 = "client.authentication.k8s.io/v1"
PLUGIN = """\
#!/bin/sh
echo run >>"$DIR/runs"
printf %s "$KUBERNETES_EXEC_INFO" >"$DIR/info"
printf %s "$*" >"$DIR/arguments"
cat "$DIR/answer"
"""


class CredentialsTest(ClusterTest):
    at_once = 4

    def setUp(self):
        super().setUp()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.server = self.client.kubeconfig.server
        self.ca = self.client.kubeconfig.certificate_authority

    def write(self, name, text, mode=0o600):
        """Replaces the file at once: nobody reads half of it."""
        path = self.logs / name
        new = self.logs / f"{name}.new"
        new.write_text(text)
        new.chmod(mode)
        new.rename(path)
        return str(path)

    def kubeconfig(self, user, cluster=None, name="config"):
        cluster = cluster or {"server": self.server, "certificate-authority-data": self.ca}
        return self.write(name, json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "main",
            "clusters": [{"name": "main", "cluster": cluster}], "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "main", "context": {"cluster": "main", "user": "me"}}]}))

    def probe(self, kubeconfig, *flags):
        probe = Probe(self.build, kubeconfig, self.logs / "probe.log", *flags, environment=self.cluster.environment)
        self.addCleanup(probe.finish)
        return probe

    def token(self, account=ACCOUNT, namespace=SYSTEM):
        return self.client.create(
            "serviceaccounts", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}},
            namespace, subresource="token", name=account)["status"]["token"]

    def certificate(self, name, groups=()):
        """(certificate, key) in PEM, which the API server believes."""
        pki = pathlib.Path(self.cluster.kubeconfig_path).parent / "pki"
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name}"
        key, request = self.logs / f"{name}.key.pem", self.logs / f"{name}.csr.pem"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", request, "-subj", subject], check=True, capture_output=True)
        made = subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key",
                               "-set_serial", str(time.time_ns()), "-days", "1"], check=True, capture_output=True, text=True)
        return made.stdout, key.read_text()

    def kubectl_whoami(self, kubeconfig):
        done = self.cluster.kubectl("--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json")
        return json.loads(done.stdout)["status"]["userInfo"]

    def assert_same_as_kubectl(self, probe, kubeconfig):
        ours = probe.whoami()
        theirs = self.kubectl_whoami(kubeconfig)
        for info in (ours, theirs):  # differ from request to request or from connection to connection
            info.get("extra", {}).pop("authentication.kubernetes.io/credential-id", None)
        self.assertEqual(ours, theirs)
        return ours


class TestIdentity(CredentialsTest):
    def test_a_token_and_a_client_certificate(self):
        config = self.kubeconfig({"token": self.token()})
        who = self.assert_same_as_kubectl(self.probe(config), config)
        self.assertEqual(who["username"], f"system:serviceaccount:{SYSTEM}:{ACCOUNT}")
        certificate, key = self.certificate("jane", ["dev", "ops"])
        config = self.kubeconfig({"client-certificate-data": base64.b64encode(certificate.encode()).decode(),
                                  "client-key-data": base64.b64encode(key.encode()).decode()})
        who = self.assert_same_as_kubectl(self.probe(config), config)
        self.assertEqual((who["username"], who["groups"]), ("jane", ["dev", "ops", "system:authenticated"]))

    def test_impersonation(self):
        certificate, key = self.certificate("boss", ["system:masters"])
        config = self.kubeconfig({
            "client-certificate": self.write("boss.crt", certificate), "client-key": self.write("boss.key", key),
            "as": "jane@example.com", "as-uid": "4711", "as-groups": ["dev", "a b"],
            "as-user-extra": {"example.com/Scopes %": ["view", "edit"], "plain": ["x"]}})
        who = self.assert_same_as_kubectl(self.probe(config), config)
        self.assertEqual((who["username"], who["uid"]), ("jane@example.com", "4711"))
        self.assertEqual(who["groups"], ["dev", "a b", "system:authenticated"])
        self.assertEqual(who["extra"]["example.com/scopes %"], ["view", "edit"])

    def test_a_list_of_kubeconfigs_is_merged(self):
        """The first file wins for each entry; a path is relative to the file that names it."""
        (self.logs / "one").mkdir(exist_ok=True)
        (self.logs / "two").mkdir(exist_ok=True)
        certificate, key = self.certificate("merged")
        self.write("two/me.crt", certificate)
        self.write("two/me.key", key)
        self.write("two/ca.crt", base64.b64decode(self.ca).decode())
        self.write("one/config", json.dumps({"contexts": [{"name": "main", "context": {"cluster": "main", "user": "me"}}],
                                             "users": [{"name": "other", "user": {"token": "none"}}]}))
        self.write("two/config", json.dumps({
            "current-context": "main", "clusters": [{"name": "main", "cluster": {"server": self.server, "certificate-authority": "ca.crt"}}],
            "users": [{"name": "other", "user": {}}, {"name": "me", "user": {"client-certificate": "me.crt", "client-key": "./me.key"}}],
            "contexts": [{"name": "main", "context": {"cluster": "wrong", "user": "wrong"}}]}))
        listed = ":".join(str(self.logs / name) for name in ("absent", "one/config", "two/config"))
        environment = {**self.cluster.environment, "KUBECONFIG": listed}
        probe = Probe(self.build, "", self.logs / "probe.log", environment=environment)
        self.addCleanup(probe.finish)
        self.assertEqual(probe.whoami()["username"], "merged")
        done = subprocess.run(["kubectl", "auth", "whoami", "-o", "json"], env=environment, check=True, capture_output=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["status"]["userInfo"]["username"], "merged")

    def test_a_proxy(self):
        address = urllib.parse.urlsplit(self.server)
        proxy = ConnectProxy(address.hostname, address.port)
        self.addCleanup(proxy.close)
        config = self.kubeconfig({"token": self.token()}, {
            "server": self.server, "certificate-authority-data": self.ca, "proxy-url": f"http://127.0.0.1:{proxy.port}"})
        probe = self.probe(config)
        self.assertIsInstance(probe.whoami(), dict)
        self.assertEqual(probe.call("GET", "/version")["json"]["major"], "1")
        self.assertEqual(proxy.requests, [f"CONNECT {address.netloc} HTTP/1.1"])  # one tunnel for all

    def test_tls_server_name_and_verification(self):
        token = {"token": self.token()}
        cases = (({"tls-server-name": "kubernetes.default.svc", "certificate-authority-data": self.ca}, True),
                 ({"tls-server-name": "other.example", "certificate-authority-data": self.ca}, "is not for that name"),
                 ({}, "is not signed by"))
        for members, expected in cases:
            with self.subTest(members.get("tls-server-name")):
                who = self.probe(self.kubeconfig(token, {"server": self.server, **members})).whoami()
                if expected is True:
                    self.assertIsInstance(who, dict)
                else:
                    self.assertIn(expected, who)
        insecure = self.kubeconfig(token, {"server": self.server, "insecure-skip-tls-verify": True})
        self.assertEqual(self.probe(insecure).wait(), 1)
        self.assertIn("insecure-skip-tls-verify, which is refused", (self.logs / "probe.log").read_text())
        self.assertIsInstance(self.probe(insecure, "--allow-insecure-tls").whoami(), dict)


class TestRenewal(CredentialsTest):
    def test_a_refused_token_file_is_read_again(self):
        """Rotated while nobody looked: the 401 makes it look."""
        path = self.write("token", "refused")
        probe = self.probe(self.kubeconfig({"tokenFile": path}))
        self.assertIn("Unauthorized", probe.whoami())
        self.write("token", self.token() + "\n")
        self.assertEqual(probe.whoami()["username"], f"system:serviceaccount:{SYSTEM}:{ACCOUNT}")

    def test_rotated_client_certificates(self):
        for name in ("before", "after"):
            certificate, key = self.certificate(name, ["system:masters"])
            self.write(f"{name}.crt", certificate)
            self.write(f"{name}.key", key)

        def use(name):
            for part in ("crt", "key"):
                self.write(f"me.{part}", (self.logs / f"{name}.{part}").read_text())
        use("before")
        probe = self.probe(self.kubeconfig({"client-certificate": "me.crt", "client-key": "me.key"}), "--reread", "100ms")
        watch = probe.start("watch", "/api/v1/namespaces?watch=true")
        probe.await_answer("the watch is open", id=watch, event="head", status=200)
        probe.await_answer("it has events", id=watch, event="line")
        self.assertEqual(probe.whoami()["username"], "before")
        use("after")
        self.assertNotIn("error", probe.end(watch), "a watch ends as if the server had ended it")
        self.assertEqual(probe.whoami()["username"], "after")

    def test_rotated_ca(self):
        other = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                                "-keyout", "/dev/null", "-subj", "/CN=other"], check=True, capture_output=True, text=True).stdout
        path = self.write("ca.crt", other)
        probe = self.probe(self.kubeconfig({"token": self.token()}, {"server": self.server, "certificate-authority": path}), "--reread", "100ms")
        self.assertIn("is not signed by", probe.whoami())
        self.write("ca.crt", base64.b64decode(self.ca).decode())
        wait_for(lambda: isinstance(probe.whoami(), dict), WAIT, "the new CA is used")


class TestExec(CredentialsTest):
    def answer(self, version=V1, **status):
        self.write("answer", json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}))

    def plugin(self, cluster=None, **members):
        self.write("plugin", PLUGIN, 0o700)
        return self.kubeconfig({"exec": {
            "apiVersion": V1, "command": "./plugin", "args": ["$HOME;`id`", "two"], "interactiveMode": "Never",
            "env": [{"name": "DIR", "value": str(self.logs)}], **members}}, cluster)

    def runs(self):
        path = self.logs / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def test_a_token_until_it_is_refused(self):
        self.answer(token="refused")
        config = self.plugin(provideClusterInfo=True, cluster={
            "server": self.server, "certificate-authority-data": self.ca,
            "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}]})
        probe = self.probe(config)
        calls = [probe.start("call", "GET", "/version") for _ in range(5)]
        for number in calls:
            self.assertEqual(probe.end(number)["error"]["status"], 401)
        self.assertEqual(self.runs(), 1, "one run serves all who wait")
        self.answer(token=self.token())
        self.assertEqual(probe.whoami()["username"], f"system:serviceaccount:{SYSTEM}:{ACCOUNT}")
        self.assertEqual(self.runs(), 2)
        self.assertEqual((self.logs / "arguments").read_text(), "$HOME;`id` two")
        told = json.loads((self.logs / "info").read_text())
        self.assert_same_as_kubectl(probe, config)
        self.assertEqual(told, json.loads((self.logs / "info").read_text()), "kubectl tells the plugin the same")
        self.assertEqual(self.runs(), 3)  # kubectl's; ours had no expiry
        self.assertEqual(told["spec"]["cluster"]["config"], {"audience": "x"})

    def test_a_certificate_until_it_expires(self):
        for name in ("first", "second"):
            certificate, key = self.certificate(name)
            expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (15 if name == "first" else 3600)))
            self.answer("client.authentication.k8s.io/v1beta1", clientCertificateData=certificate, clientKeyData=key, expirationTimestamp=expires)
            if name == "first":
                probe = self.probe(self.plugin(apiVersion="client.authentication.k8s.io/v1beta1", interactiveMode="IfAvailable"))
                self.assertEqual(probe.whoami()["username"], "first")
        self.assertEqual(self.runs(), 1)
        wait_for(lambda: probe.whoami()["username"] == "second", WAIT, "the expired certificate is replaced")
        self.assertEqual(self.runs(), 2)

    def test_plugins_that_fail(self):
        token = self.token()
        cases = (({"command": "./absent", "installHint": "get it at example.com"}, "is not installed; get it at example.com"),
                 ({"command": "sh", "args": ["-c", "echo No session >&2; exit 3"]}, "ended with status 3: No session"),
                 ({"command": "echo", "args": ["s3cret"]}, "did not print JSON"),
                 ({}, f"printed credentials of apiVersion client.authentication.k8s.io/v1beta1 instead of {V1}"))
        self.answer("client.authentication.k8s.io/v1beta1", token=token)
        for members, expected in cases:
            with self.subTest(expected):
                said = self.probe(self.plugin(**members)).whoami()
                self.assertIn(expected, said)
                self.assertNotIn("s3cret", said)
        self.assertNotIn(token, (self.logs / "probe.log").read_text())
