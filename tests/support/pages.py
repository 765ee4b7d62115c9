"""What tests of the dashboard's pages share: drives with known events, and how to read a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.storage import reports
from fleetflow.storage.database import connection
from fleetflow.trips.samples import Samples
from tests.support import dashboard
from tests.support.dashboard import Drive

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = sorted(path.stem for path in (APP.parent / "app_pages").glob("*.py"))
"""The name of every page, which is its address but for the one that opens first."""
ADDRESSES = {
    "overview": "",
    "driver": "driver?driver={driver}",
    "trip": "trip?trip={trip}&event=1",
    "tuning": "tuning?draft=0.3x5_0.4x5_0.45x0_130x0",
}
"""The pages whose bare address does not show them at work, or that answer elsewhere."""
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
BRAKE = HarshEvent(EventKind.BRAKING, 20.0, 21.0, 22.0, 0.554, 48.0)
SURGE = HarshEvent(EventKind.ACCELERATION, 40.0, 41.0, 42.0, 0.45, 30.0)
DOUBTFUL = HarshEvent(EventKind.BRAKING, 60.0, 61.0, 62.0, 0.7, 12.0, doubts=("the speed did not follow",))
GENTLE = HarshEvent(EventKind.BRAKING, 80.0, 81.0, 82.0, 0.3, 40.0)


HARSH = {"rough": 6, "middle": 2, "same": 2, "calm": 0}


def open_page(
    url: str, page: str = "", /, *, api_url: str = "http://127.0.0.1:8123", timeout_s: float = 60, **address: str
) -> AppTest:
    """A page by its name and address, or the one that opens first, over a database, as a browser in Berlin opens it."""
    app = AppTest.from_file(str(APP), default_timeout=timeout_s)
    # There are none, and each AppTest would ask every installed package for them: a quarter of a second.
    app._bidi_component_manager = BidiComponentManager()
    app.secrets["fleetflow"] = {"database_url": url, "api_url": api_url}
    app.context = {"timezone": "Europe/Berlin"}
    if page:
        app.switch_page(f"app_pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def drive(*events: HarshEvent) -> Drive:
    t_s = np.arange(0, 100.5, 0.5)
    return Drive(Samples(np.full(len(t_s), 60.0), np.zeros(len(t_s)), t_s, np.zeros(len(t_s))), events)


def store(engine: sa.Engine, trip: Drive, driver_id: UUID | None = None, **more) -> UUID:
    with connection(engine) as conn:
        return insert(conn, trip, driver_id, **more)


def insert(conn: sa.Connection, trip: Drive, driver_id: UUID | None = None, **more) -> UUID:
    vehicle_id = more.pop("vehicle_id", None) or uuid4()
    started_at = more.pop("started_at", NOW)
    return dashboard.insert_drive(
        conn, trip, driver_id=driver_id or uuid4(), vehicle_id=vehicle_id, started_at=started_at, **more
    )


def long_drive(brakes: int) -> Drive:
    """Four hours at 60 km/h with so many harsh brakes."""
    long_s = np.arange(0, 14_400.0, 10.0)
    return Drive(
        Samples(np.full(len(long_s), 60.0), np.zeros(len(long_s)), long_s, np.zeros(len(long_s))), (BRAKE,) * brakes
    )


def store_fleet(engine: sa.Engine) -> dict[str, UUID]:
    """Four drivers with twenty long days each: one brakes harshly far more often than the others, two alike."""
    drivers = {name: uuid4() for name in HARSH}
    store_days(engine, {drivers[name]: count for name, count in HARSH.items()}, first_back=1)
    return drivers


def store_days(engine: sa.Engine, brakes: Mapping[UUID, int], *, first_back: int, days: int = 20) -> None:
    """A long day for each driver with so many harsh brakes, on so many days up to some days ago."""
    starts = [NOW - timedelta(days=back) for back in range(first_back, first_back + days)]
    drives = [(long_drive(count), driver_id, start) for driver_id, count in brakes.items() for start in starts]
    with connection(engine) as conn:
        dashboard.insert_drives(
            conn,
            [
                (drive, dashboard.trip_row(drive, driver_id=driver_id, vehicle_id=uuid4(), started_at=start))
                for drive, driver_id, start in drives
            ],
        )


def score_of(engine: sa.Engine, trip: UUID) -> int | None:
    with connection(engine) as conn:
        report = reports.read_trip(conn, trip, 1)
    assert report is not None
    return report.safety_score


def text(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.title, app.header, app.caption, app.markdown, app.error, app.info, app.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}
