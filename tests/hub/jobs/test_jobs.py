from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from hub import create_app
from hub.columns import utc_now
from hub.config import Config, as_database
from hub.errors import Conflict, NotFound
from hub.extensions import db
from hub.jobs import registry, services
from hub.jobs.models import Job, JobState
from hub.jobs.registry import JobContext, RetryLater
from hub.jobs.worker import Worker, run_job, run_worker

Session = sa.orm.scoped_session[sa.orm.Session]


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Handler]:
    """Only the jobs that a test declares."""
    declared: dict[str, registry.Handler] = {}
    monkeypatch.setattr(registry, "HANDLERS", declared)
    monkeypatch.setattr("hub.jobs.worker.HANDLERS", declared)
    monkeypatch.setattr(registry, "LANES", lanes := {})
    monkeypatch.setattr(services, "LANES", lanes)
    monkeypatch.setattr("hub.jobs.worker.PERIODS", {})
    return declared


@pytest.fixture
def own_app(config: Config, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """An app whose transactions are real, for threads: on a SQLite file of its own, or on the PostgreSQL of all tests."""
    if config.database.is_sqlite:
        database = as_database(f"sqlite:///{tmp_path / 'jobs.db'}")
        app = create_app(dataclasses.replace(config, database=database))
        with app.app_context():
            db.create_all()
    else:
        request.getfixturevalue("app")  # makes the tables of the database that this app shares
        app = create_app(config)
    yield app
    with app.app_context():
        db.session.execute(sa.delete(Job))
        db.session.commit()
        db.engine.dispose()


def claim() -> Job:
    job = services.claim_job()
    assert job is not None
    return job


def test_a_key_is_queued_once(session: Session) -> None:
    first = services.enqueue("sync", unique_key="a", instance_id="1")
    assert services.enqueue("sync", unique_key="a", instance_id="2").id == first.id
    assert services.enqueue("sync", unique_key="b").id != first.id
    assert services.enqueue("sync").id != services.enqueue("sync").id
    assert services.get_job(first.id).arguments == {"instance_id": "1"}
    with pytest.raises(NotFound):
        services.get_job("none")


def test_a_key_is_free_again_once_its_job_has_ended(session: Session) -> None:
    first = services.enqueue("sync", unique_key="a")
    context = JobContext(first.id, claim().attempts)
    assert services.finish_job(context, "no luck")
    assert services.find_job("a") is None
    second = services.enqueue("sync", unique_key="a")
    assert second.id != first.id
    ended = services.get_job(first.id)
    assert (ended.state, ended.error) == (JobState.FAILED, "no luck")
    newest = services.find_job("a", active=False)
    assert newest is not None
    assert newest.id == second.id


def test_claims_take_the_longest_due_first_and_each_once(session: Session) -> None:
    now = utc_now()
    services.enqueue("later", run_at=now + dt.timedelta(hours=1))
    services.enqueue("second", run_at=now - dt.timedelta(minutes=1))
    services.enqueue("first", run_at=now - dt.timedelta(minutes=2))
    session.commit()
    assert services.has_due_job()
    assert [claim().name, claim().name] == ["first", "second"]
    assert services.claim_job() is None
    assert not services.has_due_job()


def test_a_lost_worker_is_replaced_and_can_write_no_more(session: Session) -> None:
    services.enqueue("sync", unique_key="a")
    session.commit()
    job = claim()
    lost = JobContext(job.id, job.attempts)
    job.lease_until = utc_now() - dt.timedelta(seconds=1)
    session.commit()
    heir = JobContext(job.id, claim().attempts)
    assert heir.attempt == lost.attempt + 1
    lost.progress = registry.Progress(99)
    assert not services.renew_lease(lost)
    assert not services.finish_job(lost)
    heir.report(5, 10, "half")
    assert services.renew_lease(heir)
    seen = services.get_job(job.id)
    assert (seen.done, seen.total, seen.note, seen.state) == (5, 10, "half", JobState.RUNNING)


def test_a_job_that_keeps_killing_its_worker_is_given_up(session: Session) -> None:
    services.enqueue("deadly")
    session.commit()
    for _ in range(services.MAX_ATTEMPTS):
        job = claim()
        job.lease_until = utc_now() - dt.timedelta(seconds=1)
        session.commit()
    assert services.claim_job() is None
    services.fail_exhausted_jobs()
    ended = services.get_job(job.id)
    assert ended.state is JobState.FAILED
    assert "5 times" in (ended.error or "")


def test_old_jobs_are_forgotten(session: Session) -> None:
    old, fresh = services.enqueue("old"), services.enqueue("fresh")
    for job, days in ((old, 8), (fresh, 6)):
        job.state = JobState.DONE
        job.finished_at = utc_now() - dt.timedelta(days=days)
    session.flush()
    services.prune_jobs()
    assert session.scalars(sa.select(Job.name)).all() == ["fresh"]


def test_all_workers_queue_the_same_tick(session: Session) -> None:
    ids = {services.enqueue_tick("hourly", 10**9).id for _ in range(3)}
    assert len(ids) == 1
    context = JobContext(ids.pop(), claim().attempts)
    services.finish_job(context)
    assert services.enqueue_tick("hourly", 10**9).state is JobState.DONE


@pytest.mark.parametrize(
    ("raised", "state", "error"),
    [
        (None, JobState.DONE, None),
        (Conflict("Somebody was faster."), JobState.FAILED, "Somebody was faster."),
        (KeyError("secret detail"), JobState.FAILED, "Unexpected KeyError; see the worker's log."),
        (RetryLater(60, "busy"), JobState.QUEUED, "busy"),
    ],
)
def test_how_a_run_ends(
    app: Flask,
    session: Session,
    handlers: dict[str, registry.Handler],
    raised: Exception | None,
    state: JobState,
    error: str | None,
) -> None:
    @registry.job("work")
    def work(context: JobContext, word: str) -> None:
        context.report(3, note=word)
        if raised:
            raise raised

    services.enqueue("work", word="hello")
    session.commit()
    job = claim()
    assert run_job(app, JobContext(job.id, job.attempts), job.name, job.arguments) == error
    ended = services.get_job(job.id)
    assert (ended.state, ended.error, ended.note) == (state, error, "hello")


def test_two_handlers_of_one_name_are_refused(handlers: dict[str, registry.Handler]) -> None:
    registry.job("twice")(lambda context: None)
    with pytest.raises(ValueError, match="two handlers"):
        registry.job("twice")(lambda context: None)


def test_two_workers_run_every_job_once(own_app: Flask, handlers: dict[str, registry.Handler]) -> None:
    total, ran, all_done = 60, [], threading.Event()

    @registry.job("count")
    def count(_context: JobContext, number: int) -> None:
        ran.append(number)
        if len(ran) >= total:
            all_done.set()

    with own_app.app_context():
        for number in range(total):
            services.enqueue("count", number=number)
        db.session.commit()
    stop = threading.Event()
    workers = [threading.Thread(target=run_worker, args=(own_app,), kwargs={"stop": stop}) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert all_done.wait(30)
    stop.set()
    for worker in workers:
        worker.join(30)
    assert sorted(ran) == list(range(total))
    with own_app.app_context():
        assert set(db.session.scalars(sa.select(Job.state))) == {JobState.DONE}


def test_lanes_do_not_wait_for_each_other(own_app: Flask, handlers: dict[str, registry.Handler]) -> None:
    begun, release = threading.Semaphore(0), threading.Event()
    ordinary = threading.Event()

    @registry.job("slow target", lane=registry.Lane.REQUESTS)
    def slow(_context: JobContext) -> None:
        begun.release()
        release.wait(30)

    @registry.job("ordinary")
    def do(_context: JobContext) -> None:
        ordinary.set()

    threads = own_app.extensions["hub_config"].requests.threads
    with own_app.app_context():
        for _ in range(threads + 1):
            services.enqueue("slow target")
        db.session.commit()
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(own_app,), kwargs={"stop": stop})
    worker.start()
    assert all(begun.acquire(timeout=30) for _ in range(threads))
    with own_app.app_context():
        assert services.has_due_job()
        assert services.has_due_job(registry.Lane.REQUESTS)
        assert not services.has_due_job(registry.Lane.DEFAULT)
        services.enqueue("ordinary")
        db.session.commit()
    assert ordinary.wait(30)
    assert not begun.acquire(blocking=False)
    release.set()
    assert begun.acquire(timeout=30)
    stop.set()
    worker.join(30)
    assert not worker.is_alive()


def test_a_lane_is_polled_on_after_the_database_was_away(
    own_app: Flask, handlers: dict[str, registry.Handler], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, broken = threading.Event(), threading.Event()

    @registry.job("work", lane=registry.Lane.REQUESTS)
    def work(_context: JobContext) -> None:
        done.set()

    has_due = services.has_due_job

    def fail_once(lane: registry.Lane | None = None) -> bool:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("no database")
        return has_due(lane)

    monkeypatch.setattr(services, "has_due_job", fail_once)
    with own_app.app_context():
        services.enqueue("work")
        db.session.commit()
    worker = Worker(own_app, 1, registry.Lane.REQUESTS)
    polling = threading.Thread(target=worker.poll_often)
    polling.start()
    assert done.wait(30)
    assert worker.stop(grace=30)
    polling.join(30)
    assert not polling.is_alive()


def test_a_stopping_worker_hands_back_what_does_not_end(own_app: Flask, handlers: dict[str, registry.Handler]) -> None:
    started, release, fenced = threading.Event(), threading.Event(), threading.Event()

    @registry.job("slow")
    def slow(context: JobContext) -> None:
        started.set()
        release.wait(30)
        fenced.set()

    with own_app.app_context():
        job_id = services.enqueue("slow").id
        db.session.commit()
    worker = Worker(own_app, 1)
    worker.poll()
    assert started.wait(30)
    assert not worker.stop(grace=0)
    with own_app.app_context():
        assert services.get_job(job_id).state is JobState.QUEUED
    release.set()
    assert fenced.wait(30)
    worker._pool.shutdown(wait=True)
    with own_app.app_context():
        assert services.get_job(job_id).state is JobState.QUEUED


def test_the_heartbeat_tells_a_run_that_it_was_replaced(own_app: Flask, handlers: dict[str, registry.Handler]) -> None:
    started, replaced, ended = threading.Event(), threading.Event(), threading.Event()

    @registry.job("slow")
    def slow(context: JobContext) -> None:
        started.set()
        replaced.wait(30)
        try:
            context.report(1)
        finally:
            ended.set()

    with own_app.app_context():
        job_id = services.enqueue("slow").id
        db.session.commit()
    worker = Worker(own_app, 1)
    worker.poll()
    assert started.wait(30)
    with own_app.app_context():
        db.session.execute(sa.update(Job).values(attempts=Job.attempts + 1))
        db.session.commit()
    worker.beat()
    replaced.set()
    assert ended.wait(30)
    assert worker.stop(grace=30)
    with own_app.app_context():
        job = services.get_job(job_id)
        assert (job.state, job.done) == (JobState.RUNNING, 0)
