"""Cloud Build's files name steps, substitutions, secrets and files that exist: it would refuse others, after a push."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.images.dockerfile import read

# https://cloud.google.com/build/docs/build-config-file-schema and .../substitute-variable-values
KEYS = {"substitutions", "options", "timeout", "availableSecrets", "steps"}
STEP_KEYS = {"id", "name", "entrypoint", "args", "env", "dir", "secretEnv", "waitFor"}
GIVEN = {"BUILD_ID", "PROJECT_ID", "COMMIT_SHA", "SHORT_SHA"}
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
    """Dockerfiles, the check, Terraform's variables, and the images that are built, looked for and run."""
    [built, deployed] = [(project_root / "infra" / name).read_text(encoding="utf-8") for name in FILES]
    for name in re.findall(r"--file, (\S+),", built):
        assert (project_root / name).is_file(), name
    assert (project_root / ".ci" / "run").is_file()
    terraform = "\n".join(file.read_text(encoding="utf-8") for file in (project_root / "infra").glob("*.tf"))
    for variable in re.findall(r"-var=(\w+)=", built):
        assert f'variable "{variable}"' in terraform
    for name in FILES:
        assert f'"infra/{name}"' in terraform
    images = {image: f"{image}:${{SHORT_SHA}}" for image in ("service", "worker", "dashboard")}
    assert all(
        f'"${{_IMAGES}}/{tagged}"' in built and f"/{image}:${{var.image_tag}}" in terraform
        for image, tagged in images.items()
    )
    for script in (built, deployed):
        assert re.findall(r"for image in ([\w ]+);", script) == [" ".join(images)]


def test_every_image_is_built_on_the_base_that_the_trigger_names(project_root: Path) -> None:
    """Each build passes it; where no trigger names one, it is that of the Dockerfiles."""
    build = yaml.safe_load((project_root / "infra/cloudbuild.yaml").read_text("utf-8"))
    builds = [step["args"] for step in build["steps"] if "build" in step["args"]]
    built = [args[args.index("--file") + 1].removeprefix("Dockerfile.") for args in builds]
    assert built == ["service", "worker", "dashboard"]
    assert [args[args.index("--build-arg") + 1] for args in builds] == ["BASE=${_BASE}"] * len(built)
    default = f"BASE={build['substitutions']['_BASE']}"
    assert [read(project_root, program).arguments for program in built] == [[("ARG", default)]] * len(built)
    variables = (project_root / "infra/variables.tf").read_text("utf-8")
    [told] = re.findall(r'^variable "base_image" \{\n.*?^  default += "(.*?)"$', variables, re.MULTILINE | re.DOTALL)
    assert f"BASE={told}" == default


def test_images_are_built_with_buildkit(project_root: Path) -> None:
    """The Dockerfiles mount caches. The older builder refuses them, and Docker uses it at Cloud Build unless told."""
    assert all("RUN --mount=" in file.read_text("utf-8") for file in project_root.glob("Dockerfile.*"))
    build = yaml.safe_load((project_root / "infra/cloudbuild.yaml").read_text("utf-8"))
    assert "DOCKER_BUILDKIT=1" in build["options"]["env"]


def steps(project_root: Path, name: str) -> dict[str, dict[str, Any]]:
    """Return a file's steps by id."""
    build = yaml.safe_load((project_root / "infra" / name).read_text(encoding="utf-8"))
    return {step["id"]: step for step in build["steps"]}


def test_the_plan_is_kept_before_anything_else_runs(project_root: Path) -> None:
    """Tests and their packages could change a plan that is still in the folder, or what its log shows."""
    of_build = steps(project_root, "cloudbuild.yaml")
    assert of_build["plan"]["waitFor"] == ["-"]
    assert of_build["keep-plan"]["waitFor"] == ["plan"]
    after = {"keep-plan"}
    for name, step in of_build.items():
        if name not in {"plan", "keep-plan"}:
            assert after.intersection(step["waitFor"]), name
            after.add(name)


def test_what_is_deployed_is_of_one_build_that_succeeded(project_root: Path) -> None:
    """Each build has a folder, for nobody may replace what is in one. All of it is fetched before a change is made."""
    built, deployed = (steps(project_root, name) for name in FILES)
    kept = re.findall(r"gs://\S+/\$\{BUILD_ID\}/([\w.]+)", "\n".join(texts(list(built.values()))))
    fetch = "\n".join(texts(deployed["plan"]))
    [fetched] = re.findall(r"for file in ([\w. ]+);", fetch)
    assert sorted(fetched.split()) == sorted(kept) == ["documents.html", "plan"]
    terraform = (project_root / "infra/cloud_build.tf").read_text("utf-8")
    [trigger] = re.findall(r"substitutions\.TRIGGER_NAME=([\w-]+) ", fetch)
    assert re.search(rf'name += "{trigger}"\n.*?filename += "infra/cloudbuild\.yaml"', terraform, re.DOTALL)
    assert "status=SUCCESS" in fetch
    assert list(deployed).index("plan") < list(deployed).index("apply")
    assert not any("_PLANS_BUCKET" in text for name in ("apply", "publish") for text in texts(deployed[name]))


def test_terraforms_tests_read_no_variables_of_the_project(project_root: Path) -> None:
    """Terraform loads terraform.tfvars by itself: the build has none, and a test states each variable all the same."""
    [script] = [text for text in texts(steps(project_root, "cloudbuild.yaml")["plan"]) if "terraform test" in text]
    [written], [folder] = re.findall(r"> (\S+\.tfvars)", script), re.findall(r"cd (\S+)", script)
    assert Path(written).parent != Path(folder)
    assert f"-var-file={written}" in script
    variables = re.findall(r'^variable "(\w+)"', (project_root / "infra/variables.tf").read_text("utf-8"), re.MULTILINE)
    for file in (project_root / "infra/tests").glob("*.tftest.hcl"):
        [stated] = re.findall(r"^variables \{\n(.*?)^\}", file.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        assert set(re.findall(r"^  (\w+) +=", stated, re.MULTILINE)) == set(variables), file.name


def test_the_builder_cannot_become_the_deployer(project_root: Path) -> None:
    """It adds images and plans and reads; no build starts another, and the deployer runs nothing that was built."""
    terraform = (project_root / "infra/cloud_build.tf").read_text("utf-8")
    blocks = re.findall(r'^resource "(\w+)" "\w+" \{\n(.*?)^\}', terraform, re.MULTILINE | re.DOTALL)
    granted = {kind: body for kind, body in blocks if re.search(r'member += .*builder\["build"\]', body)}
    assert set(granted) == {
        "google_artifact_registry_repository_iam_member",
        "google_secret_manager_secret_iam_member",
        "google_storage_bucket_iam_member",
    }
    for name in FILES:
        assert not re.search(r"\bbuilds (?!list\b)", "\n".join(texts(list(steps(project_root, name).values()))))
    assert not [step for step in steps(project_root, "cloudbuild.deploy.yaml").values() if "_IMAGES" in step["name"]]
