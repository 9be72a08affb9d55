"""Uploaded files go once nothing names them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import BinaryBody, MultipartBody, MultipartPart
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.files import remove_unused_files, store_file
from hub.http_builder.models import RequestFile, RequestRun, RunState
from hub.identifiers import new_id
from tests.hub.http_builder.test_services import URL, make_draft


def test_files_that_nothing_names_go_after_a_day(alice: Actor) -> None:
    def store(name: str) -> str:
        return store_file(alice, name=name, media_type="text/plain", content=b"x").id

    whole, part, sent, unused = (store(name) for name in ("whole", "part", "sent", "unused"))
    services.create_request(alice, make_draft(body=BinaryBody(file_id=whole, file_name="whole")))
    parts = (MultipartPart(name="f", is_file=True, file_id=part, file_name="part"),)
    services.create_request(alice, make_draft(body=MultipartBody(parts=parts)))
    definition = make_draft(body=BinaryBody(file_id=sent, file_name="sent")).definition.model_dump(mode="json")
    run = RequestRun(id=new_id(), user_id=alice.user_id, name="x", method="GET", url=URL, definition=definition)
    run.state = RunState.DONE
    db.session.add(run)
    db.session.commit()
    assert remove_unused_files() == 0
    later = utc_now() + dt.timedelta(days=1, minutes=1)
    assert remove_unused_files(later) == 1
    db.session.commit()
    assert set(db.session.scalars(sa.select(RequestFile.id))) == {whole, part, sent}
    assert unused not in {whole, part, sent}
    db.session.delete(run)
    db.session.commit()
    assert remove_unused_files(later) == 1
