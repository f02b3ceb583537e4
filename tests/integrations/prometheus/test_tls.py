"""The metrics port over TLS: whom it trusts, and that a connection can be cut there as well."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.errors import UpstreamUnavailable
from bot.ports import Measured
from integrations.prometheus import connect
from tests.integrations.prometheus.server import vector

PATIENCE_S = 30.0
HOUR = timedelta(hours=1)


class Secure(ThreadingHTTPServer):
    """Answers that nothing was measured, or says so for ever."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.slow = False
        self.begun, self.gone = threading.Event(), threading.Event()


class Answering(BaseHTTPRequestHandler):
    server: Secure
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(vector()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(10**6 if self.server.slow else len(body)))
        self.end_headers()
        if not self.server.slow:
            self.wfile.write(body)
            return
        self.server.begun.set()
        try:
            while True:
                self.wfile.write(b" ")
                self.server.gone.wait(0.01)
        except OSError:
            self.server.gone.set()
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[Secure]:
    with Secure(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate for this machine that it signs itself, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "prometheus.acme.example")])
    begin = datetime.now(UTC) - HOUR
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + 2 * HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "tls.crt", folder / "tls.key"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


async def test_it_trusts_what_the_machine_trusts_and_is_cut_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate(tmp_path)
    with serving(context) as server:
        url = f"https://127.0.0.1:{server.server_address[1]}"
        stranger = connect(url)
        with pytest.raises(UpstreamUnavailable, match="certificate is not trusted"):
            await stranger.at("q")
        await stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        metrics = connect(url, timeout_s=PATIENCE_S, threads=1)
        assert await metrics.at("q") == Measured()
        server.slow = True
        asking = asyncio.create_task(metrics.at("slow"))
        assert await asyncio.to_thread(server.begun.wait, PATIENCE_S)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await asyncio.to_thread(server.gone.wait, PATIENCE_S)
        server.slow = False
        assert await metrics.at("q") == Measured(), "the only thread is free again"
        await metrics.close()


async def test_what_does_not_speak_tls_is_told_so() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        metrics = connect(f"https://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(UpstreamUnavailable, match=r"TLS failed|connection failed"):
            await metrics.at("q")
        await metrics.close()
        thread.join()
