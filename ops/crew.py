"""The processes of the pipeline, kept to what the merchants' files need: a system that is used first gets its own, one
that nobody uses any more loses them. Starts and stops processes, reads files, writes a list of targets.
"""

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from ops import probes
from ops.local.ports import is_free
from ops.run_file import put
from ops.supervisor import Supervisor
from ops.up import OF_THIS_RUN, RUNNING, Addresses, Part, environment, parts, returnflow
from schemas.merchant import Merchant
from schemas.merchant_folder import MerchantFolder
from schemas.settings import ProcessSettings

READY_WITHIN_SECONDS = 90.0
TARGETS = "prometheus-targets.json"
KEPT_PORTS = 2  # behind the metrics ports: of the lag exporter, of `up` itself


class Crew:
    """Of one run. `variables` are for the processes only: the secrets of a sandbox."""

    def __init__(
        self, supervisor: Supervisor, settings: ProcessSettings, addresses: Addresses, variables: Mapping[str, str]
    ) -> None:
        self._supervisor = supervisor
        self._settings = settings
        self._addresses = addresses
        self._variables = variables
        self._folder = MerchantFolder.opened(settings.merchants)
        self._parts = {each.name: each for each in parts(self._folder.merchants, addresses)}
        self._next_port = addresses.metrics_from + len(self._parts) + KEPT_PORTS

    @property
    def merchants(self) -> Mapping[str, Merchant]:
        """Whom it runs for; changes with their files."""
        return self._folder.merchants

    @property
    def parts(self) -> list[Part]:
        """What runs, in the order of its start."""
        return list(self._parts.values())

    def start(self) -> None:
        """Every part side by side; returns when all serve."""
        for part in self._parts.values():
            self._start(part)
        self._tell_targets()
        self._supervisor.wait_ready(*self._parts, within_seconds=READY_WITHIN_SECONDS)

    def look(self) -> None:
        """Start what is missing, stop what nobody needs. Call it about every second; it waits for what it stops."""
        self._folder.look()
        wanted = {each.name: each for each in parts(self._folder.merchants, self._addresses)}
        idle, new = self._parts.keys() - wanted.keys(), wanted.keys() - self._parts.keys()
        if idle:
            self._supervisor.stop(*idle)
        for name in idle:
            del self._parts[name]
        for name in [each for each in wanted if each in new]:
            self._parts[name] = msgspec.structs.replace(wanted[name], metrics_port=self._free_port())
            self._start(self._parts[name])
        if idle or new:
            self._tell_targets()

    def _free_port(self) -> int:
        while not is_free(self._next_port):
            self._next_port += 1
        self._next_port += 1
        return self._next_port - 1

    def _start(self, part: Part) -> None:
        own = self._settings.model_copy(update={"metrics_port": part.metrics_port, "instance": part.instance})
        env = {**environment(own), **OF_THIS_RUN, **self._variables}
        argv = [*returnflow(), *part.arguments]
        self._supervisor.start(part.name, argv, env, probes.endpoints(part.url, RUNNING))

    def _tell_targets(self) -> None:
        """What a Prometheus on this machine reads by file_sd_configs; it looks again when the file changes."""
        listed = [
            {"targets": [f"127.0.0.1:{each.metrics_port}"], "labels": {"job": each.kind, "process": each.name}}
            for each in self._parts.values()
        ]
        with suppress(OSError):  # a disk without room stops no process
            put(self._settings.data_dir / TARGETS, listed)
