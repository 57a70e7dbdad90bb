"""Builds the project's images with Debian's buildah, which needs no Docker engine, and runs programs in them.

No registry is asked: the base is made of the running Debian's own Python. Images and containers are in a folder of the
test's own; the network is the machine's, so that programs are asked on loopback.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BASE = "localhost/base"
BASE_PACKAGES = (
    "apt",
    "base-files",
    "base-passwd",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "python3",
    "python3-pip",
    "tzdata",
)
# pip's own settings of this machine, and the certificates that it trusts: no index's address is in a Dockerfile.
OF_THE_MACHINE = [Path("/etc/pip.conf"), Path("/etc/ssl/certs")]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def why_not() -> str | None:
    """Return what images need to be built here and this machine has not; None where it has all of it."""
    missing = [each for each in ("buildah", "apt-cache", "dpkg-query") if not shutil.which(each)]
    if not missing and Path("/usr/lib/python3/dist-packages/pip").is_dir() and os.geteuid() == 0:
        return None
    return "images are built on Debian, as root: apt-get install buildah python3-pip"


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Images:
    """The images that were built into a folder."""

    folder: Path

    def buildah(self, *arguments: str) -> list[str]:
        """Return the command that calls buildah on the folder."""
        return ["buildah", "--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"), *arguments]

    def make_base(self) -> None:
        """Make the image that stands for the official one of Python, of what is installed here."""
        container = _output(*self.buildah("from", "scratch")).strip()
        root = Path(_output(*self.buildah("mount", container)).strip())
        for folder in ("bin", "sbin", "lib", "lib64"):
            (root / "usr" / folder).mkdir(parents=True)
            (root / folder).symlink_to(f"usr/{folder}")
        for folder, mode in (("etc", 0o755), ("root", 0o700), ("tmp", 0o1777)):
            (root / folder).mkdir()
            (root / folder).chmod(mode)
        listed = "\n".join(_installed_files())
        packed = self.folder / "base.tar"
        pack = ("tar", "--create", "--directory=/", f"--file={packed}", "--no-recursion", "--files-from=-")
        subprocess.run(pack, check=True, capture_output=True, input=listed, text=True)
        _output("tar", "--extract", f"--directory={root}", f"--file={packed}", "--keep-directory-symlink")
        packed.unlink()
        for name in ("passwd", "group"):
            shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
        (root / "usr/bin/python").symlink_to("python3")
        _output(*self.buildah("umount", container))
        _output(*self.buildah("config", "--env", f"PATH={PATH}", container))
        _output(*self.buildah("commit", "--rm", container, BASE))

    def build(self, project_root: Path, program: str) -> None:
        """Build the image of a program as its Dockerfile says, on our base."""
        mounts = [f"--volume={path}:{path}:ro" for path in OF_THE_MACHINE if path.exists()]
        options = ["--isolation=chroot", "--format=docker", "--pull-never", f"--build-arg=BASE={BASE}", *mounts]
        named = [f"--file=Dockerfile.{program}", f"--tag=athlete-{program}", "."]
        build = self.buildah("bud", *options, *named)
        built = subprocess.run(build, cwd=project_root, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout + built.stderr

    @contextmanager
    def container(self, program: str, data: Path, environment: Mapping[str, str]) -> Iterator["Container"]:
        """Make a container of a program's image with a folder as its data; what runs in it is killed at the end."""
        name = _output(*self.buildah("from", "--pull-never", f"localhost/athlete-{program}")).strip()
        container = Container(self, name, data, environment)
        try:
            yield container
        finally:
            container.kill()
            _output(*self.buildah("rm", name))

    def remove(self) -> None:
        """Remove images and containers; buildah may leave its folder mounted."""
        _output(*self.buildah("rm", "--all"))
        _output(*self.buildah("rmi", "--all", "--force"))
        if (self.folder / "root/overlay").is_mount():
            _output("umount", str(self.folder / "root/overlay"))
        shutil.rmtree(self.folder)


def _installed_files() -> Iterator[str]:
    """Yield the files of the base's packages and of those that they need, documentation left out."""
    only_needed = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    depends = _output("apt-cache", "depends", "--recurse", "--installed", *only_needed, *BASE_PACKAGES)
    packages = {line for line in depends.splitlines() if not line.startswith((" ", "<", "|"))}
    left_out = tuple(f"/usr/share/{each}/" for each in ("doc", "man", "locale", "info"))
    # Of alternatives some are not installed, and of these no files are listed.
    listing = ("dpkg-query", "--listfiles", *packages)
    listed = subprocess.run(listing, check=False, capture_output=True, text=True).stdout
    for name in sorted(set(listed.splitlines())):
        path = Path(name)
        if name.startswith("/") and not name.startswith(left_out) and (path.is_symlink() or path.is_file()):
            yield name


def _is_buildah(process: psutil.Process) -> bool:
    command = process.cmdline()
    return not command or command[0].startswith("buildah")


class Container:
    """A container of one image, in which commands are run as its user."""

    def __init__(self, images: Images, name: str, data: Path, environment: Mapping[str, str]) -> None:
        self._images, self._name = images, name
        self._log = data.parent / f"{name}.log"
        told = [f"--env={name}={value}" for name, value in environment.items()]
        self._options = ["--isolation=chroot", f"--volume={data}:/data", *told]
        self._running: subprocess.Popen[str] | None = None

    def _command(self, command: Sequence[str]) -> list[str]:
        return self._images.buildah("run", *self._options, self._name, "--", *command)

    def run(self, *command: str, given: str = "") -> str:
        """Run a command to its end and return what it says; it must end well."""
        ran = subprocess.run(
            self._command(command), input=given, capture_output=True, text=True, timeout=600, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr + self.log()
        return ran.stdout

    def succeeds(self, *command: str) -> bool:
        """Whether a command ends well."""
        return subprocess.run(self._command(command), capture_output=True, timeout=600, check=False).returncode == 0

    def start(self, *command: str) -> None:
        """Start the program, whose output is kept."""
        with self._log.open("w", encoding="utf-8") as log:
            self._running = subprocess.Popen(
                self._command(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
            )

    def programs(self) -> list[psutil.Process]:
        """Return the processes of the started program, itself first; buildah's own, which wait for it, are left out."""
        if self._running is None or self._running.poll() is not None:
            return []
        inner = psutil.Process(self._running.pid).children(recursive=True)
        return [process for process in inner if not _is_buildah(process)]

    def stop(self) -> int:
        """Send SIGTERM to the program, as Docker does, and return how it ended."""
        assert self._running
        self.programs()[0].terminate()
        return self._running.wait(timeout=60)

    def kill(self) -> None:
        """End at once what still runs."""
        for process in self.programs():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._running:
            self._running.wait(timeout=60)

    def log(self) -> str:
        """Return what the program has said."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""
