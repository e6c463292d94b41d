"""Certificates for tests, made by the openssl program: an authority and whoever it vouches for."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.system.servers import require


def certificates(folder: Path, *names: str) -> None:
    """Write ca.pem, and NAME.pem and NAME.key with the common name NAME, all valid for a day on 127.0.0.1."""
    openssl = require("openssl", package="openssl")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    authority = ("-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([openssl, "req", "-x509", *new, *authority], cwd=folder, check=True, capture_output=True)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in names:
        request = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        subprocess.run([openssl, "req", *new, *request], cwd=folder, check=True, capture_output=True)
        signing = ("-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1")
        command = [openssl, "x509", "-req", *signing, "-extfile", "names", "-out", f"{name}.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
