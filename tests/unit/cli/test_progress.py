import pytest

from lorekeeper_cli.progress import PlainProgress
from lorekeeper_runtime.ingest.progress import Snapshot, Stage


def test_the_last_plain_line_has_the_final_count(capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    snapshot = Snapshot("docs", listed=17)
    progress.update(snapshot)
    snapshot.stage, snapshot.total = Stage.INDEXING, 17
    progress.update(snapshot)
    snapshot.done, snapshot.chunks = 9, 20
    progress.update(snapshot)
    snapshot.done, snapshot.chunks = 17, 50
    for stage in (Stage.INDEXING, Stage.SWEEPING, Stage.DONE):
        snapshot.stage = stage
        progress.update(snapshot)

    assert capsys.readouterr().err.splitlines() == [
        "docs: 0 of 17 documents, 0 chunks",
        "docs: 17 of 17 documents, 50 chunks",
    ]


def test_nothing_to_do_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    for stage in (Stage.LISTING, Stage.SWEEPING, Stage.DONE):
        progress.update(Snapshot("docs", stage=stage))

    assert not capsys.readouterr().err
