"""`athlete docs`: dbt's pages about every table, column, test and where it comes from, as one file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from athlete.data_dir import require_pipeline
from athlete.errors import CommandError, exit_on_error, require_this_machine
from athlete.output import say
from athlete.transform import one_line
from worker.dbt_runner.settings import TransformSettings


@exit_on_error
def docs() -> None:
    """Write DATA_DIR/docs.html: every model with its columns, tests, SQL and lineage, to open in a browser.

    The page SQL offers the same file.
    """
    from worker.dbt_runner.main import dbt_in  # noqa: PLC0415 - dbt, as in `athlete transform`

    settings = TransformSettings()
    require_this_machine(settings, "dbt's documents are made from tables on this machine")
    require_pipeline(settings)
    with TemporaryDirectory(prefix=".docs-", dir=settings.data_dir) as folder:
        try:
            dbt_in(Path(folder), settings).write_documents()
            (Path(folder) / "target/static_index.html").replace(settings.docs_path)
        except RuntimeError as error:
            raise CommandError(one_line(str(error))) from error
    say(f"{settings.docs_path} is written; open it in a browser.")
