"""Queries by name: what can be a name, and whose files they are."""

from pathlib import Path

import pytest

from backends.saved_queries import SavedQueries, is_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weeks", True),
        ("Höhenmeter je Woche", True),
        ("a", True),
        ("top-20_of 2026", True),
        ("x" * 60, True),
        ("x" * 61, False),
        ("", False),
        (" a", False),
        ("a ", False),
        ("-a", False),
        (".a", False),
        ("a.b", False),
        ("../a", False),
        ("a/b", False),
        ("a\\b", False),
        ("a\nb", False),
        ("a\n", False),
        ("a\0", False),
    ],
)
def test_a_name_is_one_of_a_file_of_the_folder_everywhere(text: str, expected: bool) -> None:
    """No part of a path, nothing hidden, nothing that a shell or a file system takes otherwise."""
    assert is_name(text) is expected


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Looking makes none; what is not there is a fault to read, and none to delete."""
    saved = SavedQueries(tmp_path / "queries")
    assert (saved.names(), saved.saved_as("a")) == ([], None)
    saved.delete("a")
    with pytest.raises(OSError, match=r"queries/a\.sql"):
        saved.read("a")
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_athlete_are_read_and_others_left_alone(tmp_path: Path) -> None:
    """An edited file is read, a link is followed and stays one; what is no text is told."""
    elsewhere, folder = tmp_path / "elsewhere.sql", tmp_path / "queries"
    folder.mkdir()
    elsewhere.write_text("select 1")
    (folder / "linked.sql").symlink_to(elsewhere)
    (folder / "Broken.sql").write_bytes(b"\xff")
    for other in (".hidden.sql", "a.b.sql", "notes.txt", "half.sql.new"):
        (folder / other).write_text("")
    saved = SavedQueries(folder)
    assert saved.names() == ["Broken", "linked"]
    assert saved.read("linked") == "select 1"
    saved.save("linked", "select 2\n\n")
    assert (folder / "linked.sql").is_symlink()
    assert elsewhere.read_text() == "select 2\n"
    assert saved.saved_as("BROKEN") == "Broken"
    with pytest.raises(OSError, match="no text in UTF-8"):
        saved.read("Broken")
    for do in (saved.read, saved.delete, lambda name: saved.save(name, "")):
        with pytest.raises(OSError, match="can be no name"):
            do("../elsewhere")
