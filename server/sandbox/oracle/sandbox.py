"""A sandbox of our own, on ports of its own, in a folder that goes away."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

# A debug build on a busy machine starts in under two seconds.
START_S = 60


@contextlib.contextmanager
def started(binary, *arguments):
    """Starts a sandbox and gives its addresses; stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="belay-oracle-") as folder:
        ports = pathlib.Path(folder, "ports.json")
        log = pathlib.Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    os.path.abspath(binary),
                    f"--data={folder}/data",
                    "--aws-port=0",
                    "--oidc-port=0",
                    "--control-port=0",
                    f"--ports-file={ports}",
                    *arguments,
                ],
                stdout=output,
                stderr=output,
            )
        try:
            yield _addresses(process, ports, log)
        finally:
            process.kill()
            process.wait()


def _addresses(process, ports, log):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if ports.exists():
            return json.loads(ports.read_text())
        if process.poll() is not None:
            raise SystemExit(f"the sandbox ended with {process.returncode}:\n{log.read_text()}")
        time.sleep(0.05)
    raise SystemExit(f"the sandbox did not start within {START_S} s:\n{log.read_text()}")
