"""Whatever n8n does while it is read, and however often a sync is cut off: at the end the hub holds what n8n holds."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from hub.errors import Unavailable
from hub.executions.models import Execution, ExecutionStatus
from hub.instances.models import Instance
from hub.jobs.registry import RetryLater
from hub.workflows.models import Workflow
from tests.hub.statements import count_statements
from tests.hub.sync import fake_n8n
from tests.hub.sync.conftest import Session, Sync
from tests.hub.sync.fake_n8n import FakeN8n

FAULTS = (
    fake_n8n.rate_limited(1),
    fake_n8n.SERVER_ERROR,
    fake_n8n.BAD_GATEWAY,
    fake_n8n.WEB_PAGE,
    fake_n8n.STARTING,
    fake_n8n.CUT_SHORT,
    fake_n8n.REFUSED,
)
ENDS = ("success", "success", "success", "error", "crashed", "canceled")


class World:
    """Moves a fake n8n at random: begins, ends, retries, prunes executions and changes workflows."""

    def __init__(self, n8n: FakeN8n, dice: random.Random) -> None:
        self._n8n = n8n
        self._dice = dice
        #: Last known state of every execution that ever was.
        self.seen: dict[str, dict[str, object]] = {}

    def move(self) -> None:
        """One step."""
        steps: list[tuple[int, Callable[[], None]]] = [
            *((6, self._begin), (5, self._end), (1, self._wait), (2, self._retry), (1, self._prune)),
            *((1, self._edit), (1, self._publish), (1, self._add_workflow), (1, self._delete_workflow)),
        ]
        self._dice.choices([step for _, step in steps], [weight for weight, _ in steps])[0]()
        self.seen.update({key: dict(row) for key, row in self._n8n.executions.items()})

    def _pick(self, *statuses: str) -> str | None:
        keys = [key for key, row in self._n8n.executions.items() if row["status"] in statuses]
        return self._dice.choice(keys) if keys else None

    def _begin(self) -> None:
        if self._n8n.workflows:
            workflow = self._dice.choice(sorted(self._n8n.workflows))
            self._n8n.start(workflow, status=self._dice.choice(("running", "running", "new")))

    def _end(self) -> None:
        if key := self._pick("running", "new", "waiting"):
            self._n8n.finish(key, self._dice.choice(ENDS))

    def _wait(self) -> None:
        if key := self._pick("running"):
            self._n8n.wait(key)

    def _retry(self) -> None:
        if key := self._pick("error", "crashed"):
            self._n8n.retry(key)

    def _prune(self) -> None:
        if self._n8n.executions:
            self._n8n.prune(self._dice.choice(sorted(self._n8n.executions)))

    def _edit(self) -> None:
        if self._n8n.workflows:
            flow = self._n8n.workflows[self._dice.choice(sorted(self._n8n.workflows))]
            flow.update(name=f"Flow {self._dice.random()}", versionId=self._n8n.now())

    def _publish(self) -> None:
        if self._n8n.workflows:
            flow = self._n8n.workflows[self._dice.choice(sorted(self._n8n.workflows))]
            live = {"versionId": flow["versionId"], "nodes": flow["nodes"], "connections": {}}
            flow.update(active=True, activeVersionId=flow["versionId"], activeVersion=live)

    def _add_workflow(self) -> None:
        self._n8n.add_workflow(f"w{self._dice.randrange(10**6)}")

    def _delete_workflow(self) -> None:
        if len(self._n8n.workflows) > 1:
            key = self._dice.choice(sorted(self._n8n.workflows))
            del self._n8n.workflows[key]
            for n8n_id in [n8n_id for n8n_id, row in self._n8n.executions.items() if row["workflowId"] == key]:
                self._n8n.prune(n8n_id)


def check_equal(session: Session, n8n: FakeN8n, world: World) -> None:
    """The hub holds all that n8n holds, as n8n holds it, and nothing that n8n never had."""
    rows = {row.n8n_execution_id: row for row in session.scalars(sa.select(Execution))}
    assert session.scalar(sa.select(sa.func.count()).select_from(Execution)) == len(rows)
    flows = {flow.n8n_id: flow for flow in session.scalars(sa.select(Workflow))}
    names = {flow.id: flow.n8n_id for flow in flows.values()}
    for key, remote in n8n.executions.items():
        row = rows[key]
        stopped = row.finished_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if row.finished_at else None
        ended = remote["status"] not in ("running", "new", "waiting")
        assert (row.n8n_status, names[row.workflow_id]) == (remote["status"], remote["workflowId"]), key
        assert stopped == (remote["stoppedAt"] if ended else None), key
        assert (row.retry_of, row.retry_success_id) == (remote["retryOf"], remote["retrySuccessId"]), key
        assert row.vanished_at is None, key
    for key, row in rows.items():
        assert key in world.seen
        if key not in n8n.executions and row.status in (ExecutionStatus.RUNNING, ExecutionStatus.WAITING):
            assert row.vanished_at is not None, key
    for key, flow in flows.items():
        own = [row for row in rows.values() if row.workflow_id == flow.id]
        assert flow.total_executions == len(own), key
        assert flow.successful_executions == sum(row.status is ExecutionStatus.SUCCESS for row in own), key
        assert (flow.vanished_at is None) == (key in n8n.workflows), key
        if key in n8n.workflows:
            remote = n8n.workflows[key]
            assert (flow.name, flow.version_id, flow.active) == (remote["name"], remote["versionId"], remote["active"])
    assert set(n8n.workflows) <= set(flows)


@pytest.mark.parametrize("seed", range(25))
def test_the_hub_ends_up_with_what_n8n_has(session: Session, n8n: FakeN8n, instance: Instance, sync: Sync, seed: int) -> None:
    dice = random.Random(seed)
    world = World(n8n, dice)
    n8n.page_size = dice.choice((2, 3, 5, 8))
    for _ in range(dice.randrange(60)):
        world.move()

    def live(_path: str) -> None:
        for _ in range(dice.randrange(3)):
            world.move()
        if dice.random() < 0.08:
            n8n.faults = [dice.choice(FAULTS)]

    for _ in range(6):
        n8n.before_answer = live
        with contextlib.suppress(RetryLater, Unavailable):
            sync()
        n8n.faults = []
    n8n.before_answer = lambda _path: None
    sync()
    sync()
    check_equal(session, n8n, world)
    with count_statements() as statements:
        sync()
    written = [line for line in statements if not line.startswith(("SELECT", "UPDATE instances"))]
    assert written == []
