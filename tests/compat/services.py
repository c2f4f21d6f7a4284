# SPDX-License-Identifier: MIT
"""The real servers that the programs talk to, each started for one run of one program.

Every server listens on the loopback alone, on a port that was free a moment ago, with
its configuration and its data in a folder of its own. It must never read a configuration
of the system, outlive the run, or count as started before it says so itself.
"""

from __future__ import annotations

import collections
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Set, Tuple

HERE = Path(__file__).resolve().parent
START = 15.0  # seconds that a server has to say that it listens


class ServiceError(Exception):
    """A server did not start; the text has its last words."""


class Missing(Exception):
    """A program that is needed is not installed."""


def find(command: str) -> str:
    path = shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if path is None:
        raise Missing(f"{command} is not installed")
    return path


def free_port() -> int:
    """Returns a port that is free, and that the system gives to nobody by itself."""
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
        ports = range(10000, int(text.split()[0]))
    except (OSError, ValueError):
        ports = range(0)
    while True:
        # Port 0 is the system's choice, which may be another's before the server has it.
        port: int = random.choice(ports) if len(ports) > 1000 else 0
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                port = probe.getsockname()[1]
            except OSError:
                continue
        with given_lock:
            if port not in given:
                given.add(port)
                return port


given: Set[int] = set()  # a server that was killed leaves its port to nobody
given_lock = threading.Lock()


class Process:
    """A child whose output is read line by line, and which is killed at the end."""

    def __init__(
        self,
        argv: List[str],
        env: Optional[Dict[str, str]] = None,
        lines: Optional[int] = 200,  # how many are kept; None: all
    ) -> None:
        self.lines: Deque[str] = collections.deque(maxlen=lines)
        self.news = threading.Condition()
        self.child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        self.ended = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits for a line that matches, and gives the match."""
        deadline = time.monotonic() + START
        with self.news:
            while True:
                for line in self.lines:
                    match = re.search(pattern, line)
                    if match:
                        return match
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise ServiceError("\n".join(self.lines) or "it said nothing")
                self.news.wait(left)

    def wait(self, seconds: float) -> bool:
        """Waits for the end; False if it did not come in time."""
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.reader.join(5)
        return True

    def kill(self) -> None:
        # The group outlives its leader when a server has workers.
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.child.kill()
        self.child.wait()
        self.reader.join(5)
        if self.child.stdout is not None and not self.reader.is_alive():
            self.child.stdout.close()


Make = Callable[[], Tuple[Any, ...]]  # gives what Process takes


def start(make: Make, *patterns: str) -> Process:
    """Starts a server, again on other ports when somebody was faster."""
    for attempt in range(5):
        process = Process(*make())
        try:
            for pattern in patterns:
                process.wait_for(pattern)
            return process
        except ServiceError as problem:
            process.kill()
            taken = re.search("in use|already|bind", str(problem), re.I)
            if attempt == 4 or not taken:
                raise
    raise AssertionError


# ---- Certificates


def run(*argv: str) -> str:
    done = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ServiceError(done.stdout)
    return done.stdout


def certificates(folder: Path) -> None:
    """Makes an authority, a certificate by it, and an authority that never signed."""
    openssl = find("openssl")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    days = ["-days", "2"]

    def at(name: str) -> str:
        return str(folder / name)

    for name in ("ca", "other"):
        files = ["-keyout", at(f"{name}.key"), "-out", at(f"{name}.pem")]
        subject = ["-subj", f"/CN=polysock test {name}"]
        run(openssl, "req", "-x509", *key, *subject, *days, *files)
    (folder / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    files = ["-keyout", at("server.key"), "-out", at("server.csr")]
    run(openssl, "req", *key, "-subj", "/CN=localhost", *files)
    signer = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial"]
    files = ["-in", at("server.csr"), "-out", at("server.pem")]
    run(openssl, "x509", "-req", *files, *signer, *days, "-extfile", at("server.ext"))


# ---- Servers: each gives the variables that its programs need


def pattern_bytes(size: int) -> bytes:
    """The bytes of case.bytes in case.lua."""
    block = bytes((i * 7 + i // 256 * 13) % 256 for i in range(1, 1025))[8:]
    count = size // 1024 + 1
    return b"".join(b"%08d" % i + block for i in range(1, count + 1))[:size]


NGINX = """
{modules}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 100m;
    client_body_buffer_size 8m;
    default_type text/plain;
    types {{ text/html html; application/octet-stream bin; }}
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {tls_folder}/server.pem;
        ssl_certificate_key {tls_folder}/server.key;
        root {folder}/www;
        location = /agent {{ return 200 "$http_user_agent\\n"; }}
        location = /redirect {{ return 302 /small.txt; }}
        location = /circle {{ return 302 /circle; }}
        location = /chunked.html {{ ssi on; }}
        location = /echo {{ echo_read_request_body; echo_request_body; }}
        location /upload/ {{ dav_methods PUT; create_full_put_path on; }}
        location /private/ {{
            alias {folder}/www/;
            auth_basic "private";
            auth_basic_user_file {folder}/passwords;
        }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, tls_folder: Path) -> Iterator[Dict[str, str]]:
    program = find("nginx")
    www = folder / "www"
    www.mkdir()
    (www / "small.txt").write_text("small\n")
    (www / "chunked.html").write_text(
        "<!--# echo var='none' default='of ' -->pieces\n" * 500
    )
    (www / "medium.bin").write_bytes(pattern_bytes(1000000))
    (www / "large.bin").write_bytes(pattern_bytes(20000000))
    (folder / "passwords").write_text("user:{PLAIN}secret\n")
    module = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
    if not module.exists():
        raise Missing("nginx has no echo module (libnginx-mod-http-echo)")
    ports: Dict[str, str] = {}

    def make() -> Tuple[Any, ...]:
        ports.update(HTTP_PORT=str(free_port()), HTTPS_PORT=str(free_port()))
        text = NGINX.format(
            modules=f"load_module {module};",
            folder=folder,
            tls_folder=tls_folder,
            port=ports["HTTP_PORT"],
            tls=ports["HTTPS_PORT"],
        )
        (folder / "nginx.conf").write_text(text)
        # -e: else it opens the log of the system before it reads the configuration
        return (
            [
                program,
                "-e",
                "stderr",
                "-p",
                str(folder),
                "-c",
                str(folder / "nginx.conf"),
            ],
        )

    process = start(make, "using the .* event method")
    try:
        yield ports
    finally:
        process.kill()


@contextmanager
def redis(folder: Path) -> Iterator[Dict[str, str]]:
    program = find("redis-server")
    find("redis-cli")
    ports: Dict[str, str] = {}

    def make() -> Tuple[Any, ...]:
        ports["REDIS_PORT"] = str(free_port())
        return (
            [program, "--port", ports["REDIS_PORT"], "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"],
        )  # fmt: skip

    process = start(make, "Ready to accept connections")
    try:
        yield {**ports, "REDIS_PID": str(process.child.pid)}
    finally:
        process.kill()


@contextmanager
def s_server(tls_folder: Path) -> Iterator[Dict[str, str]]:
    """An OpenSSL server that answers each line turned around."""
    process = start(
        lambda: (
            [find("openssl"), "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert",
             str(tls_folder / "server.pem"), "-key", str(tls_folder / "server.key")],
        ),
        "ACCEPT .*:[0-9]+",
    )  # fmt: skip
    try:
        port = process.wait_for("ACCEPT .*:([0-9]+)").group(1)
        yield {"S_SERVER_PORT": port}
    finally:
        process.kill()


@contextmanager
def python_server(script: str, variable: str, folder: Path) -> Iterator[Dict[str, str]]:
    """One of the servers of this folder; it binds to port 0 and says which it got."""
    process = start(
        lambda: ([sys.executable, str(HERE / script), str(folder)],), "port [0-9]+"
    )
    try:
        yield {variable: process.wait_for("port ([0-9]+)").group(1)}
    finally:
        process.kill()


@contextmanager
def smtp(folder: Path) -> Iterator[Dict[str, str]]:
    with python_server("smtpd.py", "SMTP_PORT", folder) as ports:
        yield {**ports, "SMTP_MAILBOX": str(folder)}


@contextmanager
def ftp(folder: Path) -> Iterator[Dict[str, str]]:
    with python_server("ftpd.py", "FTP_PORT", folder) as ports:
        yield ports


PROSODY = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{tls_folder}"
log = {{ {{ levels = {{ min = "info" }}; to = "console" }} }}
network_backend = "{backend}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{ {direct} }}
legacy_ssl_ports = {{}}
s2s_ports = {{}}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{}}
use_ipv6 = false
use_libevent = false
modules_enabled = {{
    "roster"; "saslauth"; "tls"; "disco"; "ping"; "posix"; "presence"; "message"; "iq";
    "register_ibr"; "time"; "version"; "bosh"; "http"
}}
modules_disabled = {{ "s2s"; "offline"; "admin_socket" }}
allow_registration = true
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
consider_bosh_secure = true
authentication = "internal_hashed"
storage = "internal"
ssl = {{ key = "{tls_folder}/server.key"; certificate = "{tls_folder}/server.pem" }}
https_ssl = ssl
VirtualHost "localhost"
"""


@contextmanager
def prosody(
    folder: Path, tls_folder: Path, backend: str, lua: List[str], env: Dict[str, str]
) -> Iterator[Dict[str, str]]:
    """The XMPP server, run by the Lua and with the library that the caller names."""
    program = find("prosody")
    with open(program, encoding="utf-8") as script:
        first = script.readline().strip()
    if not first.endswith(Path(lua[0]).name):
        raise Missing(f"prosody is for another Lua ({first})")
    (folder / "data").mkdir()
    ports: Dict[str, str] = {}

    def make() -> Tuple[Any, ...]:
        ports.update({name: str(free_port()) for name in ("C2S", "DIRECT", "HTTP")})
        (folder / "prosody.cfg.lua").write_text(
            PROSODY.format(
                folder=folder,
                tls_folder=tls_folder,
                backend=backend,
                c2s=ports["C2S"],
                direct=ports["DIRECT"],
                http=ports["HTTP"],
            )
        )
        return [*lua, program, "--config", str(folder / "prosody.cfg.lua"), "-F"], env

    services = ("http", "c2s", "c2s_direct_tls")
    process = start(make, *(f"Activated service '{name}' on" for name in services))
    try:
        yield ports
    finally:
        process.kill()
