"""The worker process: claims jobs, runs them in a pool of threads, renews their leases, and ends gently."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from hub.errors import HubError
from hub.extensions import db
from hub.jobs import services
from hub.jobs.registry import HANDLERS, PERIODS, Handler, JobContext, Lane, LeaseLost, RetryLater

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
#: How often the lane of requests is looked at: after its last job for a while, and then until the next.
FAST_POLL_SECONDS = 0.05
IDLE_POLL_SECONDS = 0.2
FAST_FOR_SECONDS = 60.0
BEAT_SECONDS = 1.0
#: A lease is renewed this often even where there is no progress to tell.
RENEW_SECONDS = 15.0
GRACE_SECONDS = 20.0
#: Messages that are under way at a time. They wait for strangers' servers, so there is no use in many more.
WEBHOOK_THREADS = 8


class Worker:
    """Runs due jobs of one lane until it is stopped."""

    def __init__(self, app: Flask, threads: int, lane: Lane = Lane.DEFAULT) -> None:
        self._app = app
        self._threads = threads
        self._lane = lane
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"job-{lane}")
        self._lock = threading.Lock()
        self._drains = 0
        #: Runs of this process with what the heartbeat last stored of them, and when.
        self._running: dict[JobContext, tuple[object, float]] = {}
        self._stopping = threading.Event()
        self._active_at = 0.0

    def poll(self) -> None:
        """Wake threads if something is due. A woken thread takes jobs until none is left."""
        if self._stopping.is_set() or self._drains >= self._threads:
            return
        with self._app.app_context():
            if not services.has_due_job(self._lane):
                return
        self._active_at = time.monotonic()
        self._wake()

    def poll_often(self) -> None:
        """Poll until the worker is stopped: often while people send, so that pressing a button feels instant."""
        while not self._stopping.is_set():
            try:
                self.poll()
            except Exception:
                log.exception("the queue could not be read")
            busy = time.monotonic() - self._active_at < FAST_FOR_SECONDS
            self._stopping.wait(FAST_POLL_SECONDS if busy else IDLE_POLL_SECONDS)

    def _wake(self) -> None:
        with self._lock:
            if self._drains >= self._threads or self._stopping.is_set():
                return
            self._drains += 1
        self._pool.submit(self._drain)

    def _drain(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._app.app_context():
                    job = services.claim_job(lane=self._lane)
                    if job is None:
                        return
                    context, name, arguments = JobContext(job.id, job.attempts), job.name, dict(job.arguments)
                self._wake()  # where one is due there may be two
                self._running[context] = (None, 0.0)
                try:
                    run_job(self._app, context, name, arguments)
                finally:
                    del self._running[context]
        except Exception:
            log.exception("a worker thread gave up")
        finally:
            with self._lock:
                self._drains -= 1

    def beat(self) -> None:
        """Store progress that is new and renew leases that age; tell runs that lost theirs."""
        now = time.monotonic()
        for context, (stored, at) in list(self._running.items()):
            if context.progress is stored and now - at < RENEW_SECONDS:
                continue
            progress = context.progress
            with self._app.app_context():
                held = services.renew_lease(context)
            if not held and context in self._running:
                context.lost.set()
            if context in self._running:
                self._running[context] = (progress, now)

    def tick(self, name: str) -> None:
        """Queue a periodic job's run of this period."""
        with self._app.app_context():
            services.enqueue_tick(name, PERIODS[name])

    def claim_no_more(self) -> None:
        """Leave what is due to other workers."""
        self._stopping.set()

    def stop(self, grace: float) -> bool:
        """Claim nothing more and let running jobs end for ``grace`` seconds. Whether all have; those that haven't are queued
        again for another worker, and their runs here are fenced off."""
        self.claim_no_more()
        deadline = time.monotonic() + grace
        while self._running and time.monotonic() < deadline:
            time.sleep(0.05)
        for context in list(self._running):
            with self._app.app_context():
                services.postpone_job(context, 0)
        finished = not self._running
        self._pool.shutdown(wait=finished)
        return finished


def run_job(app: Flask, context: JobContext, name: str, arguments: dict[str, Any]) -> str | None:
    """Run one claimed job and store how it ended. The message for the person if it did not end well.

    The outcome is written in an app context of its own: nothing of the run clings to its session.
    """
    try:
        with app.app_context():
            _handler(name)(context, **arguments)
    except LeaseLost:
        log.warning("job %s (%s) was taken over by another worker", name, context.job_id)
        return None
    except RetryLater as later:
        with app.app_context():
            services.postpone_job(context, later.seconds, later.message)
        return later.message
    except Exception as error:
        log.exception("job %s (%s) failed", name, context.job_id)
        message = error.message if isinstance(error, HubError) else f"Unexpected {type(error).__name__}; see the worker's log."
        with app.app_context():
            services.finish_job(context, message)
        return message
    with app.app_context():
        services.finish_job(context)
    return None


def _handler(name: str) -> Handler:
    try:
        return HANDLERS[name]
    except KeyError:
        raise HubError(f"No handler is declared for jobs called {name}.") from None


def _stop_all(workers: tuple[Worker, ...]) -> bool:
    for worker in workers:
        worker.claim_no_more()
    deadline = time.monotonic() + GRACE_SECONDS
    finished = [worker.stop(max(0.0, deadline - time.monotonic())) for worker in workers]
    return all(finished)


@contextmanager
def database_kept_open(app: Flask) -> Iterator[None]:
    """Hold a connection to SQLite: whenever its last one closes, it moves its log into the database, which costs more than
    a page of a sync."""
    with app.app_context():
        engine = db.engine
    if engine.dialect.name != "sqlite":
        yield
        return
    with closing(engine.raw_connection()):
        yield


def run_worker(app: Flask, *, stop: threading.Event | None = None) -> None:
    """Work until SIGTERM or SIGINT (or until ``stop`` is set), then end gently: running jobs get ``GRACE_SECONDS``."""
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    # A poll that is still under way when the next is due is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    config = app.extensions["hub_config"]
    default = Worker(app, config.worker_threads)
    requests = Worker(app, config.requests.threads, Lane.REQUESTS)
    webhooks = Worker(app, WEBHOOK_THREADS, Lane.WEBHOOKS)
    workers = (default, requests, webhooks)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": SchedulerPool(4)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for worker in (default, webhooks):
        scheduler.add_job(worker.poll, "interval", seconds=POLL_SECONDS)
    for worker in workers:
        scheduler.add_job(worker.beat, "interval", seconds=BEAT_SECONDS)
    for name, seconds in PERIODS.items():
        default.tick(name)
        scheduler.add_job(default.tick, "interval", seconds=seconds, args=[name])
    scheduler.start()
    polling = threading.Thread(target=requests.poll_often, name="poll-requests", daemon=True)
    polling.start()
    log.info("the worker runs up to %d jobs and %d requests at a time", config.worker_threads, config.requests.threads)
    with database_kept_open(app):
        stop.wait()
        log.info("stopping; running jobs have %d seconds", GRACE_SECONDS)
        finished = _stop_all(workers)
        polling.join(POLL_SECONDS)
    scheduler.shutdown(wait=False)
    if not finished:
        # A thread that does not end would keep the process alive; its job is queued again and built to be killed.
        logging.shutdown()
        os._exit(0)
