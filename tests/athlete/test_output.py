"""Rows of any kind, printed for a person and for programs, and a reader who leaves before the end."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from athlete.main import app
from athlete.output import Form, print_rows

ODD: dict[str, object] = {
    "blob": b"\x00\x01\xff",
    "struct": {"a": 1, "b": [1, None], b"k": float("nan")},
    "text": "long \x1b[31mtext\n" * 100,
    "nothing": None,
}
ENDLESS = "select range as n from range(100000000000)"


def table(values: Mapping[str, object], width: int) -> str:
    """Print one row as a person at a terminal of that width sees it."""
    return shown(values, Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None))


def shown(values: Mapping[str, object], console: Console) -> str:
    """Print one row as a table there, and return what was printed."""
    print_rows(list(values), [list(values.values())], Form.TABLE, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [30, 80, 200])
def test_odd_values_leave_the_table_whole(width: int) -> None:
    """Bytes are digits, nested values JSON, control characters gone, long texts cut, which is told."""
    printed = table(ODD, width)
    assert max(map(len, printed.splitlines()[:-2])) <= width
    assert "0001ff" in printed
    assert "\x1b" not in printed
    assert "cut at 200 characters" in " ".join(printed.split())
    assert len(printed.splitlines()) < 50


def test_many_columns_are_written_downwards() -> None:
    """What does not fit side by side becomes one line a column."""
    printed = table({f"column_{number}": f"value_{number}" for number in range(60)}, 80)
    assert [line.split() for line in printed.splitlines()[1:61]] == [[f"column_{n}", f"value_{n}"] for n in range(60)]


@pytest.mark.parametrize("columns", [2, 60])
def test_a_table_that_is_piped_is_neither_folded_nor_cut(columns: int) -> None:
    """Where no terminal ends the line, each row is one line with all its columns and its values whole."""
    values = {f"column_{number}": f"{number}{'x' * 300}" for number in range(columns)}
    printed = shown(values, Console(file=io.StringIO()))
    names, _, row = filter(str.strip, printed.splitlines())
    assert names.split() == list(values)
    assert row.split() == list(values.values())


def test_two_forms_at_once_are_refused() -> None:
    """Nobody has to find out which of two flags won."""
    result = CliRunner().invoke(app, ["query", "--json", "--csv", "select 1"])
    assert result.exit_code == 1
    assert result.stderr == "athlete: Choose one of --json and --csv.\n"


def test_programs_get_odd_values_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and CSV hold every value uncut, in words that JSON has."""
    expected = {"blob": "0001ff", "struct": {"a": 1, "b": [1, None], "6b": None}, "text": ODD["text"], "nothing": None}
    print_rows(list(ODD), [list(ODD.values())], Form.JSON, Console())
    assert json.loads(capsys.readouterr().out) == expected
    print_rows(list(ODD), [list(ODD.values())], Form.CSV, Console())
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (row["blob"], json.loads(row["struct"]), row["nothing"]) == ("0001ff", expected["struct"], "")


def asked(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a query as a person would."""
    command = [sys.executable, "-m", "athlete", "query", *arguments]
    environment = {**os.environ, "DATA_DIR": str(folder)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_a_reader_may_leave_before_the_end(tmp_path: Path, form: str) -> None:
    """When the pipe's other end has seen enough, the command ends without a word."""
    with asked(tmp_path, form, ENDLESS) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_ctrl_c_ends_a_query(tmp_path: Path) -> None:
    """An interrupted query ends at once and without a traceback."""
    with asked(tmp_path, "--csv", ENDLESS) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
    assert (process.returncode, complaint) == (-signal.SIGINT, "")
