"""Who listens where, and how it is asked."""

import pytest

from athlete.programs import Ports, pipeline_programs
from athlete.up import choose_ports
from dashboard.settings import DashboardSettings
from service.settings import ServiceSettings
from worker.settings import WorkerSettings


def test_port_0_is_a_free_port_that_everybody_knows() -> None:
    """Programs, health URLs and the printed addresses all have the port that was found."""
    ports = choose_ports(
        ServiceSettings(service_port=0), WorkerSettings(worker_port=0), DashboardSettings(dashboard_port=0)
    )
    assert min(ports.service, ports.worker, ports.dashboard) > 0
    programs = {program.name: program for program in pipeline_programs(ports, {})}
    assert programs["service"].environment["SERVICE_PORT"] == str(ports.service)
    assert programs["service"].health_url == f"http://127.0.0.1:{ports.service}/health"
    assert programs["worker"].health_url == f"http://127.0.0.1:{ports.worker}/health"


@pytest.mark.parametrize(
    ("host", "asked"),
    [("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("box", "box")],  # noqa: S104
)
def test_programs_are_asked_where_they_listen(host: str, asked: str) -> None:
    """A program told to listen on an address is asked there; one that listens everywhere is asked on loopback."""
    ports = choose_ports(
        ServiceSettings(service_host=host, service_port=81),
        WorkerSettings(worker_host=host, worker_port=82),
        DashboardSettings(dashboard_host=host, dashboard_port=83),
    )
    programs = {program.name: program for program in pipeline_programs(ports, {})}
    assert programs["service"].environment["SERVICE_HOST"] == programs["worker"].environment["WORKER_HOST"] == host
    assert programs["service"].health_url == f"http://{asked}:81/health"
    assert programs["worker"].health_url == f"http://{asked}:82/health"
    assert programs["dashboard"].environment["DASHBOARD_HOST"] == host
    assert programs["dashboard"].health_url == f"http://{asked}:83/_stcore/health"
    assert programs["deliverer"].environment["WORKER_HOST"] == asked


def test_hosts_are_loopback_unless_told() -> None:
    """Nothing listens beyond this machine by default."""
    ports = Ports(service=1, worker=2, dashboard=3)
    urls = (ports.service_url, ports.worker_url, ports.dashboard_url)
    assert urls == ("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")
    assert DashboardSettings().dashboard_host == "127.0.0.1"


def test_only_worker_and_deliverer_share_the_word_of_a_start() -> None:
    """Each start makes a new word of 256 bits by which the worker knows the deliverer; no other program has it."""
    ports = Ports(service=1, worker=2, dashboard=3)
    first, second = (
        {program.name: program.environment.get("PUSH_TOKEN") for program in pipeline_programs(ports, {})}
        for _ in range(2)
    )
    assert first["worker"] == first["deliverer"]
    assert len(first["worker"] or "") == 43
    assert first["worker"] != second["worker"]
    assert {name for name, word in first.items() if word} == {"worker", "deliverer"}
