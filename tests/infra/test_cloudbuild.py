"""Cloud Build's files name steps, substitutions, secrets and files that exist: it would refuse others, after a push."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

# https://cloud.google.com/build/docs/build-config-file-schema and .../substitute-variable-values
KEYS = {"substitutions", "options", "timeout", "availableSecrets", "steps"}
STEP_KEYS = {"id", "name", "entrypoint", "args", "env", "dir", "secretEnv", "waitFor"}
GIVEN = {"PROJECT_ID", "COMMIT_SHA", "SHORT_SHA"}
FILES = ("cloudbuild.yaml", "cloudbuild.deploy.yaml")


@pytest.fixture(params=FILES)
def build(request: pytest.FixtureRequest, project_root: Path) -> dict[str, Any]:
    """One of the files."""
    read: dict[str, Any] = yaml.safe_load((project_root / "infra" / request.param).read_text(encoding="utf-8"))
    return read


def texts(of: Any) -> list[str]:
    """Return every text in it."""
    if isinstance(of, str):
        return [of]
    return [text for each in (of.values() if isinstance(of, dict) else of) for text in texts(each)]


def test_steps_have_known_keys_and_follow_steps_that_are_there(build: dict[str, Any]) -> None:
    """Ids are unique, and a step waits for earlier ones."""
    assert set(build) <= KEYS
    seen: set[str] = {"-"}
    for step in build["steps"]:
        assert set(step) <= STEP_KEYS
        assert set(step.get("waitFor", [])) <= seen
        assert step["id"] not in seen
        seen.add(step["id"])


def test_what_is_substituted_is_known(build: dict[str, Any]) -> None:
    """Each name is the file's own or Cloud Build's, each of the file's is used, and a shell's own has two dollars."""
    own, secrets = set(build["substitutions"]), set()
    for secret in build.get("availableSecrets", {}).get("secretManager", []):
        secrets.add(secret["env"])
    told = "\n".join(texts([build["steps"], build["substitutions"], build.get("availableSecrets", {})]))
    used = set(re.findall(r"(?<!\$)\$\{?(\w+)", told))
    assert used <= own | GIVEN
    assert own <= used
    assert {name for step in build["steps"] for name in step.get("secretEnv", [])} == secrets
    assert secrets <= set(re.findall(r"\$\$(\w+)", told)) or not secrets


def test_files_and_variables_that_are_named_exist(project_root: Path) -> None:
    """Dockerfiles, the check, Terraform's variables and the trigger that is asked."""
    [built, deployed] = [(project_root / "infra" / name).read_text(encoding="utf-8") for name in FILES]
    for name in re.findall(r"--file, (\S+),", built):
        assert (project_root / name).is_file(), name
    assert (project_root / ".ci" / "run").is_file()
    terraform = "\n".join(file.read_text(encoding="utf-8") for file in (project_root / "infra").glob("*.tf"))
    for variable in re.findall(r"-var=(\w+)=", built):
        assert f'variable "{variable}"' in terraform
    for name in FILES:
        assert f'"infra/{name}"' in terraform
    assert re.findall(r"triggers, run, ([\w-]+)", built) == ["athlete-deploy"]
    assert 'name            = "athlete-deploy"' in terraform
    images = {image: f"{image}:${{SHORT_SHA}}" for image in ("service", "worker", "dashboard")}
    assert all(
        f'"${{_IMAGES}}/{tagged}"' in built and f"/{image}:${{var.image_tag}}" in terraform
        for image, tagged in images.items()
    )
    assert "${_IMAGES}/worker:${SHORT_SHA}" in deployed
