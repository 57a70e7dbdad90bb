"""Terraform and the programs agree: names of settings, log events and their fields, paths, modules and secrets.

What Terraform itself decides is tested by `terraform test` in `infra/tests`; this needs no Terraform.
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from typer.main import get_command

from athlete.main import app
from dashboard.settings import DashboardSettings
from runtime.http_limits import RequestLimits
from runtime.settings import Backend, LogFormat, SharedSettings, StravaAppSettings
from service.settings import ServiceSettings
from tests.name_graph import reached, texts
from worker.daily_report import DailyReport
from worker.dbt_runner.settings import TransformSettings
from worker.settings import ImportSettings, WorkerSettings

ROOMS = ("backends", "runtime", "service", "strava", "worker")
LOGS = re.compile(r'\b(?:debug|info|warning|error|exception|tell|SampledWarnings)\(\s*"([a-z_]+\.[a-z_]+)"')

# Which settings each program of Terraform reads.
READ_BY: Mapping[str, tuple[type[BaseSettings], ...]] = {
    "service": (ServiceSettings,),
    "worker": (WorkerSettings,),
    "daily": (WorkerSettings, TransformSettings),
    "sweep": (WorkerSettings,),
    "backfill": (WorkerSettings,),
    "transform": (TransformSettings,),
    "import": (ImportSettings,),
    "dashboard": (DashboardSettings,),
}

# Which module a job's command names; those of services end in `main`.
MODULES = {
    "daily": "worker.daily",
    "sweep": "worker.sweep",
    "backfill": "worker.backfill_job",
    "transform": "worker.transform",
    "import": "worker.import_job",
}

# Which of Terraform's maps each program is given.
GIVEN: Mapping[str, tuple[str, ...]] = {
    "service": ("shared", "service"),
    "worker": ("shared", "warehouse", "strava", "worker"),
    "daily": ("shared", "warehouse", "strava"),
    "sweep": ("shared", "warehouse", "strava", "sweep"),
    "backfill": ("shared", "warehouse", "strava"),
    "transform": ("shared", "warehouse"),
    "import": ("shared", "warehouse", "import"),
    "dashboard": ("shared", "warehouse", "dashboard"),
}


@pytest.fixture(scope="module")
def terraform(project_root: Path) -> str:
    """All of Terraform's files, without comments."""
    files = sorted((project_root / "infra").glob("*.tf"))
    return "\n".join(re.sub(r"(^|\s)#.*", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE) for file in files)


def block(terraform: str, name: str) -> str:
    """Return the map of that name; its closing brace is where the name is indented."""
    found = re.search(rf"^( *){name} += \{{\n(.*?)^\1\}}", terraform, re.MULTILINE | re.DOTALL)
    assert found, f"there is no {name}"
    return found[2]


def environment(terraform: str, name: str) -> set[str]:
    """Return the variables of one of Terraform's maps."""
    return set(re.findall(r"^ *([A-Z_]+) +=", block(terraform, f"{name}_environment"), re.MULTILINE))


def secrets(terraform: str) -> dict[str, list[str]]:
    """Return by whom each variable is read whose value is a secret."""
    told = re.findall(r'environment = "(\w+)", readers = \[([^\]]+)\]', block(terraform, "secrets"))
    return {name: re.findall(r'"(\w+)"', readers) for name, readers in told}


def names_of(program: type[BaseSettings]) -> set[str]:
    """Return the variables that a program reads."""
    return {name.upper() for name in program.model_fields}


@pytest.mark.parametrize("program", READ_BY)
def test_programs_are_told_what_they_read(program: str, terraform: str, project_root: Path) -> None:
    """Each variable is a setting of the program, or one that dbt's profile reads; a misspelt one would be ignored."""
    given = {name for each in GIVEN[program] for name in environment(terraform, each)}
    given |= {name for name, readers in secrets(terraform).items() if program in readers}
    read = set[str]().union(*map(names_of, READ_BY[program]))
    if TransformSettings in READ_BY[program]:
        profile = (project_root / "transforms/profiles.yml").read_text(encoding="utf-8")
        read |= set(re.findall(r"env_var\('(\w+)'", profile))
    assert given
    assert given - read == set()


def test_a_person_may_change_what_the_worker_does(terraform: str) -> None:
    """The variable takes all settings that say how events are handled, and none that say where the worker is."""
    [told] = re.findall(r"keys\(var\.settings\) : contains\(\[(.*?)\]", terraform, re.DOTALL)
    of_the_place = {"API_DOCS", "PUSH_CERTIFICATES_URL", "PUSH_TOKEN"} | environment(terraform, "worker")
    changeable = names_of(WorkerSettings) - names_of(StravaAppSettings) - of_the_place
    assert set(re.findall(r'"(\w+)"', told)) == changeable | {"TRANSFORM_INTERVAL_S"}


def test_each_program_is_given_its_own_maps(terraform: str) -> None:
    """What this test takes for a program's environment is what Terraform gives it."""
    merged = re.findall(r"for_each = merge\(local\.shared_environment, ([^)]+)\)", terraform)
    services = [set(re.findall(r"local\.(\w+)_environment\b", each)) for each in merged]
    assert [each for each in services if each] == [
        {"warehouse", "dashboard"},
        {"service"},
        {"warehouse", "strava", "worker"},
    ]
    jobs = re.findall(r"^ *(\w+) += (.*)", block(terraform, "job_environments"), re.MULTILINE)
    told = {name: {"shared", *re.findall(r"local\.(\w+)_environment", maps)} for name, maps in jobs}
    assert told == {name: set(GIVEN[name]) for name in MODULES}


def test_the_engine_and_the_logs_are_the_clouds(terraform: str) -> None:
    """The metrics read JSON, and the engine's name is the one that the programs know."""
    shared = block(terraform, "shared_environment")
    assert re.findall(r'LOG_FORMAT += "(\w+)"', shared) == [LogFormat.GOOGLE]
    assert re.findall(r'BACKEND += "(\w+)"', shared) == [Backend.GCP.value]


def test_jobs_run_modules_that_are_there(terraform: str) -> None:
    """Each job's command names a program; the programs start jobs by the names that Terraform gives them."""
    assert dict(re.findall(r'^ *(\w+) += \{ module = "([\w.]+)"', block(terraform, "jobs"), re.MULTILINE)) == MODULES
    assert 'name     = "athlete-${each.key}"' in terraform
    started = {SharedSettings.model_fields[each].default for each in ("transform_job", "backfill_job")}
    assert started == {"athlete-transform", "athlete-backfill"} <= {f"athlete-{job}" for job in MODULES}


@pytest.fixture(scope="module")
def logged(project_root: Path) -> set[str]:
    """The name of every event that the programs log."""
    files = (file for room in ROOMS for file in (project_root / room).rglob("*.py"))
    return {name for file in files for name in LOGS.findall(file.read_text(encoding="utf-8"))}


def test_metrics_count_what_the_programs_log(terraform: str, logged: set[str]) -> None:
    """Each filter names an event of the code, and each further field is one that the event has."""
    metrics = re.findall(r'filter += "(jsonPayload\..*)"$', block(terraform, "log_metrics"), re.MULTILINE)
    report = DailyReport(checked=()).facts()
    assert len(metrics) >= 8
    for told in metrics:
        (event,) = re.findall(r'jsonPayload\.event=\\"([a-z_.]+)\\"', told)
        fields = set(re.findall(r"jsonPayload\.(\w+)", told)) - {"event"}
        assert event in logged
        assert fields <= (set(report) if event == "daily.finished" else set()), event


def test_metrics_look_where_the_event_is_written(terraform: str, project_root: Path) -> None:
    """A metric counts lines of services, of jobs or of both: where a program can come to what logs its event."""
    services = re.findall(r'command = \["python", "-m", "([\w.]+)"\]', terraform)
    assert set(services) == {"service.main", "worker.main", "dashboard"}
    started = [each.replace("dashboard", "dashboard.main") for each in services]  # Streamlit is told its file
    programs = {"cloud_run_revision": started, "cloud_run_job": list(MODULES.values())}
    written = {
        kind: {text for main in mains for name in reached(project_root, main) for text in texts(project_root, *name)}
        for kind, mains in programs.items()
    }
    metrics = block(terraform, "log_metrics")
    told = re.findall(r'written_by += \[(.*)\]\n +filter += "jsonPayload\.event=\\"([a-z_.]+)\\"', metrics)
    assert len(told) == metrics.count("filter ")
    for kinds, event in told:
        assert set(re.findall(r'"(\w+)"', kinds)) == {kind for kind in written if event in written[kind]}, event


def test_alerts_and_charts_name_metrics_that_are_there(terraform: str) -> None:
    """No alert looks at a log-based metric that Terraform does not make, and advice names events of the code."""
    made = set(re.findall(r"^    (\w+) = \{$", block(terraform, "log_metrics"), re.MULTILINE))
    used = set(re.findall(r"^    (\w+) = \{$", block(terraform, "log_alerts"), re.MULTILINE))
    used |= set(re.findall(r'google_logging_metric\.event\["(\w+)"\]', terraform))
    assert {"app_inactive", "not_complete", "reconciled"} <= used <= made


def test_advice_names_events_and_commands_that_exist(terraform: str, logged: set[str]) -> None:
    """What an alert says to look for is in the logs, and what it says to run is there."""
    advice = re.findall(r'^ *(?:text|content) += "(.*)"$', terraform, re.MULTILINE)
    assert len(advice) == 10
    words = [word for text in advice for word in re.findall(r"`([^`]+)`", text)]
    assert {word for word in words if re.fullmatch(r"[a-z]+\.[a-z_]+", word)} <= logged
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for word in words:
        if told := re.match(r"athlete (\w+)(.*)", word):
            known = {option for parameter in commands[told[1]].params for option in parameter.opts}
            assert set(told[2].split()) <= known, word


def test_the_guide_tells_what_to_do_at_each_alert(terraform: str, project_root: Path) -> None:
    """Each alert has a section of the runbook under its own title, and no section is left of one that went."""
    _, _, runbook = (project_root / "docs/google-cloud.md").read_text().partition("## When an alert comes\n")
    alerts = block(terraform, "alerts") + block(terraform, "log_alerts")
    titles = set(re.findall(r'^ *title += "([^"$]+)"', alerts, re.MULTILINE))
    titles |= set(re.findall(r'^  display_name += "(No daily check[^"]+)"', terraform, re.MULTILINE))
    assert len(titles) > 9
    assert set(re.findall(r"^### (.+)$", runbook, re.MULTILINE)) == titles


def test_pushes_go_where_the_worker_takes_them(terraform: str, project_root: Path) -> None:
    """Both push endpoints are routes of the worker."""
    pushed = set(re.findall(r'push_endpoint = "\$\{local\.worker_url\}(/[a-z-]+)"', terraform))
    routes = re.findall(r'@pushes\.post\("([^"]+)"', (project_root / "worker/app.py").read_text(encoding="utf-8"))
    assert pushed == set(routes) == {"/push", "/dead-letter"}


def test_the_worker_takes_the_connections_that_cloud_run_sends(terraform: str) -> None:
    """Cloud Run sends no more requests at once than the server takes connections."""
    at_once = [int(number) for number in re.findall(r"max_instance_request_concurrency = (\d+)", terraform)]
    assert len(at_once) == 3
    assert max(at_once) < RequestLimits().connections


def test_the_worker_is_started_once_it_may_read_raw(project_root: Path) -> None:
    """It looks for the tables of raw before it listens; a program that ends at its start fails the apply."""
    worker = (project_root / "infra/worker.tf").read_text(encoding="utf-8")
    [first] = re.findall(r"  depends_on = \[(.*?)\]", worker, re.DOTALL)
    rights = {"google_bigquery_dataset_access.program", "google_project_iam_member.runs_queries"}
    rights |= {"google_project_iam_member.token_keeper", "google_secret_manager_secret_iam_member.reader"}
    assert set(re.findall(r"[\w.]+", first)) == rights


def test_one_grant_alone_is_to_everybody(terraform: str) -> None:
    """Nothing but the service may be called by all users; no account has a basic role."""
    assert re.findall(r'"(all\w*Users)"', terraform) == ["allUsers"]
    assert re.findall(r"invoker_iam_disabled|roles/(?:owner|editor|viewer)", terraform) == []


def test_no_secret_has_a_value(project_root: Path) -> None:
    """Terraform makes no version of a secret, and reads none, so none is in its state."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (project_root / "infra").rglob("*.tf*"))
    assert "google_secret_manager_secret" in text
    assert "secret_version" not in text
    assert "secret_data" not in text


def runs_on_gcp(name: str) -> bool:
    """Whether the program's module is there, and can be started."""
    module = MODULES.get(name, f"{name}.main")
    spec = find_spec(module)
    return spec is not None and "__main__" in Path(spec.origin or "").read_text(encoding="utf-8")


def test_the_readme_says_what_runs_on_google_cloud(project_root: Path) -> None:
    """The table says `yes` of the programs that start there today, and `not yet` of the others."""
    readme = (project_root / "infra/README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| \*\*(\w+)\*\* \|.*\| (yes|not yet)[^|]*\|$", readme, re.MULTILINE))
    assert told == {name: "yes" if runs_on_gcp(name) else "not yet" for name in READ_BY}


def test_the_readme_lists_every_variable(project_root: Path) -> None:
    """README and example name each variable of Terraform, and no other."""
    text = (project_root / "infra/variables.tf").read_text(encoding="utf-8")
    variables = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    example = (project_root / "infra/terraform.tfvars.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?(\w+) += ", example, re.MULTILINE)) == variables
    readme = (project_root / "infra/README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == variables
