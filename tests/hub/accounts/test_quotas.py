"""Room in a plan: counted once however many create at the same time, refused with the way out, and kept for a while."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from hub import create_app
from hub.accounts import quotas
from hub.accounts.models import Plan, User
from hub.accounts.plan_limits import LIMITS, ORDER, Limit, next_plan_with
from hub.accounts.plans import set_plan
from hub.accounts.quotas import GRACE, PlanLimitReached, accounts_by_retention, require_room
from hub.columns import utc_now
from hub.config import Config
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.database.migrations import upgrade_database
from hub.extensions import db
from hub.http_builder import services as requests
from hub.http_builder.models import Request
from hub.instances import services as instances
from hub.instances.models import Instance
from tests.hub.accounts.people import events, give_plan
from tests.hub.factories import make_instance

FREE = LIMITS[Plan.FREE]


def fill_instances(actor: Actor, number: int) -> None:
    for place in range(number):
        make_instance(actor, f"n8n-{place}")


def fill_requests(actor: Actor, number: int) -> None:
    rows = [{"user_id": actor.user_id, "name": f"r{place}", "method": "GET", "url": "https://e.com"} for place in range(number)]
    db.session.execute(sa.insert(Request), rows)


def draft(name: str = "One more") -> RequestDraft:
    return RequestDraft(name=name, definition=RequestDefinition(method="GET", url="https://api.example.com/"))


class TestTheTable:
    def test_a_larger_plan_never_gives_less(self) -> None:
        for smaller, larger in itertools.pairwise(ORDER):
            for name in (field.name for field in dataclasses.fields(FREE)):
                less, more = getattr(LIMITS[smaller], name), getattr(LIMITS[larger], name)
                assert more is None or (less is not None and less <= more), (smaller, larger, name)

    def test_the_way_out_is_the_smallest_plan_with_more(self) -> None:
        assert next_plan_with(Limit.INSTANCES, Plan.FREE) is Plan.PRO
        assert next_plan_with(Limit.MEMBERS, Plan.FREE) is Plan.TEAM
        assert next_plan_with(Limit.INSTANCES, Plan.ENTERPRISE) is None


class TestRefusing:
    def test_the_last_one_fits_and_the_next_does_not(self, alice: Actor) -> None:
        fill_instances(alice, FREE.instances - 1)
        instances.create_instance(alice, name="Last", url="https://last.example.com", api_key="k")
        with pytest.raises(PlanLimitReached) as refused:
            instances.create_instance(alice, name="More", url="https://more.example.com", api_key="k")
        shortage = refused.value.shortage
        assert (shortage.limit, shortage.used, shortage.allowed) == (Limit.INSTANCES, FREE.instances, FREE.instances)
        assert (shortage.plan, shortage.next_plan, refused.value.status) == (Plan.FREE, Plan.PRO, 402)
        for word in ("FREE", "PRO", str(FREE.instances), str(LIMITS[Plan.PRO].instances), "Delete"):
            assert word in refused.value.message

    def test_the_sample_takes_no_place(self, alice: Actor) -> None:
        fill_instances(alice, FREE.instances - 1)
        make_instance(alice, "Sample", is_sample=True)
        instances.create_instance(alice, name="Last", url="https://last.example.com", api_key="k")

    def test_everybody_has_a_plan_of_their_own(self, alice: Actor, bob: Actor) -> None:
        fill_instances(alice, FREE.instances)
        instances.create_instance(bob, name="First", url="https://first.example.com", api_key="k")

    def test_a_larger_plan_has_room_at_once(self, alice: Actor) -> None:
        fill_instances(alice, FREE.instances)
        give_plan(alice, Plan.PRO)
        instances.create_instance(alice, name="Next", url="https://next.example.com", api_key="k")

    def test_above_the_limit_all_stays_and_can_be_changed(self, alice: Actor) -> None:
        give_plan(alice, Plan.PRO)
        fill_instances(alice, FREE.instances + 2)
        set_plan(alice, str(alice.user_id), Plan.FREE)
        rows = instances.list_instances(alice).rows
        assert len(rows) == FREE.instances + 2
        instances.update_instance(alice, rows[-1].id, name="Renamed", url=rows[-1].url)
        instances.delete_instance(alice, rows[0].id)
        with pytest.raises(PlanLimitReached):
            instances.create_instance(alice, name="More", url="https://more.example.com", api_key="k")

    def test_requests_however_they_come(self, alice: Actor) -> None:
        fill_requests(alice, FREE.saved_requests - 1)
        made = requests.create_request(alice, draft())
        for create in (
            lambda: requests.create_request(alice, draft("Another")),
            lambda: requests.duplicate_request(alice, made.id),
            lambda: requests.add_requests(alice, [draft("Imported")]),
        ):
            with pytest.raises(PlanLimitReached):
                create()
            db.session.rollback()

    def test_a_deleted_request_comes_back_only_where_its_place_is_free(self, alice: Actor) -> None:
        fill_requests(alice, FREE.saved_requests - 1)
        first = requests.create_request(alice, draft())
        requests.delete_request(alice, first.id)
        second = requests.create_request(alice, draft("In its place"))
        with pytest.raises(PlanLimitReached):
            requests.restore_request(alice, first.id)
        requests.delete_request(alice, second.id)
        assert requests.restore_request(alice, first.id).deleted_at is None


@pytest.fixture
def own_app(config: Config, database_url: str, tmp_path: object) -> Iterator[Flask]:
    """An app whose threads have connections of their own; what they commit is taken away again."""
    options: dict[str, object] = {"pool_size": 4} if database_url.startswith("postgresql") else {}
    url = database_url if options else f"sqlite:///{tmp_path}/quotas.db"
    database = dataclasses.replace(config.database, url=url, options=options)
    app = create_app(dataclasses.replace(config, database=database))
    with app.app_context():
        upgrade_database()
        user = User(email="thea@example.com", password="!", name="Thea")
        db.session.add(user)
        db.session.commit()
        app.extensions["thea"] = Actor(user_id=user.id)
        db.session.remove()
        yield app
        db.session.execute(sa.delete(User).where(User.email == "thea@example.com"))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_two_at_once_never_book_the_last_place_twice(own_app: Flask) -> None:
    """ASVS 2.3.4. Each waits for the other to have begun, counts, and only then writes."""
    thea, number = own_app.extensions["thea"], 6
    together = threading.Barrier(number)
    outcomes: list[str] = []
    with own_app.app_context():
        fill_instances(thea, FREE.instances - 1)
        db.session.commit()

    def create(place: int) -> None:
        with own_app.app_context():
            together.wait(30)
            try:
                require_room(thea, Limit.INSTANCES)
                make_instance(thea, f"late-{place}")
                db.session.commit()
                outcomes.append("made")
            except PlanLimitReached:
                db.session.rollback()
                outcomes.append("refused")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=create, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["made"] + ["refused"] * (number - 1)
    with own_app.app_context():
        own = sa.select(sa.func.count()).select_from(Instance).where(Instance.user_id == thea.user_id)
        assert db.session.scalar(own) == FREE.instances


class TestKeeping:
    def days_of(self, actor: Actor, most: int = 365) -> list[int]:
        found = accounts_by_retention(most)
        return [days for days, owners in found.items() if actor.user_id in db.session.scalars(owners).all()]

    @pytest.mark.parametrize("plan", Plan)
    def test_as_the_plan_says(self, alice: Actor, plan: Plan) -> None:
        give_plan(alice, plan)
        assert self.days_of(alice) == [LIMITS[plan].retention_days]

    def test_the_operator_is_the_upper_bound(self, alice: Actor) -> None:
        give_plan(alice, Plan.TEAM)
        assert self.days_of(alice, most=50) == [50]
        assert self.days_of(alice, most=10) == [10]

    def test_a_smaller_plan_keeps_on_for_a_while(self, alice: Actor) -> None:
        give_plan(alice, Plan.TEAM)
        set_plan(alice, str(alice.user_id), Plan.FREE)
        assert self.days_of(alice) == [LIMITS[Plan.TEAM].retention_days]
        self.let_pass(alice, GRACE - dt.timedelta(hours=1))
        assert self.days_of(alice) == [LIMITS[Plan.TEAM].retention_days]
        self.let_pass(alice, dt.timedelta(hours=2))
        assert self.days_of(alice) == [FREE.retention_days]

    def test_down_in_two_steps_keeps_what_the_first_plan_kept(self, alice: Actor) -> None:
        give_plan(alice, Plan.ENTERPRISE)
        for plan in (Plan.PRO, Plan.FREE):
            set_plan(alice, str(alice.user_id), plan)
        assert self.days_of(alice) == [LIMITS[Plan.ENTERPRISE].retention_days]

    def test_a_larger_plan_keeps_longer_at_once(self, alice: Actor) -> None:
        set_plan(alice, str(alice.user_id), Plan.PRO)
        assert self.days_of(alice) == [LIMITS[Plan.PRO].retention_days]

    @staticmethod
    def let_pass(actor: Actor, time: dt.timedelta) -> None:
        user = db.session.get_one(User, actor.user_id, populate_existing=True)
        assert user.plan_changed_at is not None
        user.plan_changed_at -= time
        db.session.flush()


def test_a_change_is_in_the_audit_log_and_the_same_plan_is_none(alice: Actor) -> None:
    assert set_plan(alice, str(alice.user_id), Plan.PRO, because={"provider": "x"})
    assert not set_plan(alice, str(alice.user_id), Plan.PRO)
    db.session.commit()
    (event,) = events("user.plan")
    assert event.details == {"from": "FREE", "to": "PRO", "provider": "x", "via": "web"}
    assert quotas.find_account(str(alice.user_id)).kept_plan is Plan.PRO
    assert quotas.find_account("nobody").plan is Plan.FREE
    assert utc_now() - event.created_at < dt.timedelta(minutes=1)
