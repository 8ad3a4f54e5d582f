"""A wazo-auth of the tests' own: it knows names, passwords and tokens, and serves them over HTTP."""

import base64
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class WazoAuth:
    """People are {name: (password, what their tokens are like)}; a token has tenant, user and acl."""

    def __init__(self, users):
        self.users = users
        self.tokens = {}
        self.requests = []
        self.is_away = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def allows(acl, access):
        """Wazo's language: `*` is a word, `#` any words."""
        pattern = re.escape(acl).replace(r"\*", "[^.]*").replace(r"\#", ".*")
        return re.fullmatch(pattern, access) is not None

    def handler(self):
        auth = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=None):
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def data(self, name):
                token = auth.tokens[name]
                metadata = {"uuid": token["user"], "tenant_uuid": token["tenant"], "pbx_user_uuid": token["user"]}
                return {
                    "data": {
                        "token": name, "utc_issued_at": "2024-01-01T00:00:00.000000",
                        "utc_expires_at": "2099-01-01T00:00:00.000000", "metadata": metadata,
                    }
                }

            def begin(self):
                auth.requests.append(f"{self.command} {urlsplit(self.path).path}")
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                if auth.is_away:
                    self.answer(503)
                return not auth.is_away

            def do_POST(self):
                if not self.begin():
                    return
                sent = self.headers.get("Authorization", "").removeprefix("Basic ")
                user, _, password = base64.b64decode(sent).decode().partition(":")
                if user not in auth.users or auth.users[user][0] != password:
                    return self.answer(401)
                name = str(uuid.uuid4())
                auth.tokens[name] = auth.users[user][1]
                self.answer(200, self.data(name))

            def do_DELETE(self):
                if self.begin():
                    self.answer(404 if auth.tokens.pop(self.path.rsplit("/", 1)[-1], None) is None else 200, {})

            def do_GET(self):
                if not self.begin():
                    return
                url = urlsplit(self.path)
                if url.path == "/0.1/tenants":
                    token = auth.tokens.get(self.headers.get("X-Auth-Token", ""))
                    known = token is not None and any(auth.allows(acl, "auth.tenants.read") for acl in token["acl"])
                    return self.answer(200, {"items": [{"uuid": token["tenant"]}], "total": 1}) if known else self.answer(401)
                name = unquote(url.path.rsplit("/", 1)[-1])
                token = auth.tokens.get(name)
                scope = parse_qs(url.query).get("scope", [None])[0]
                if token is None:
                    return self.answer(404)
                if scope and not any(auth.allows(acl, scope) for acl in token["acl"]):
                    return self.answer(403)
                if self.command == "HEAD":
                    return self.answer(204)
                self.answer(200, self.data(name))

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        return Handler
