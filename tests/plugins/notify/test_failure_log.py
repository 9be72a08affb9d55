from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.contracts.events import Failure, FailureEvent
from hub.plugin_manager import PluginManager


def test_each_failure_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    manager = PluginManager(sa.MetaData())
    manager.load(("failure_log",))
    failures = tuple(
        Failure(f"c{number}", str(number), "Orders\nforged line", "error", dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
        for number in (7, 8)
    )
    manager.notify("hub_failures_ingested", event=FailureEvent("i", "Main", failures))
    lines = [record.getMessage() for record in caplog.records if record.name == "hub.failures"]
    assert [line.split()[-2:] for line in lines] == [["execution=7", "status=error"], ["execution=8", "status=error"]]
    assert all(record.levelname == "WARNING" for record in caplog.records)
    assert not any("\n" in line for line in lines)
