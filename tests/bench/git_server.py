"""A Git server on loopback: git http-backend (git-http-backend(1)) for each request.

    git_server.py FOLDER

Prints its port, and serves the repositories in FOLDER until its input ends.
GET /-/used answers with what all programs that it has started have used so far:
seconds of the processor, requests, bytes that were sent, and the most requests
that were at work at once. Its own work is not in it: another front would do it.
"""

import http.server
import json
import os
import resource
import socketserver
import subprocess
import sys
import threading

folder = os.path.abspath(sys.argv[1])
lock = threading.Lock()
counts = {"requests": 0, "sent": 0, "most": 0}
now = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def used(self):
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {**counts, "cpu": usage.ru_utime + usage.ru_stime}

    def do_GET(self):
        if self.path == "/-/used":
            return self.answer("200 OK", [("Content-Type", "application/json")],
                               json.dumps(self.used()).encode())
        self.git(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.git(body)

    def git(self, body):
        global now
        with lock:
            now += 1
            counts["requests"] += 1
            counts["most"] = max(counts["most"], now)
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env,
                              stdout=subprocess.PIPE, check=False)
        with lock:
            now -= 1
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((v for k, v in headers if k == "Status"), "200 OK")
        with lock:
            counts["sent"] += len(content)
        self.answer(status, [h for h in headers if h[0] != "Status"], content)

    def answer(self, status, headers, content):
        self.send_response(int(status.split(" ")[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
