"""The baseline, an obvious service: model objects, a connection per request, rows as JSONB, a blocking publish."""

import json
import os
from datetime import datetime
from uuid import UUID, uuid4

import pika
import psycopg
from fastapi import FastAPI
from pydantic import BaseModel, Field

DATABASE_URL = os.environ["NAIVE_DATABASE_URL"]
RABBITMQ_URL = os.environ.get("NAIVE_RABBITMQ_URL")
QUEUE = "naive"
CREATE = """
CREATE TABLE IF NOT EXISTS naive_trips (
    id uuid PRIMARY KEY, vehicle_id uuid, driver_id uuid, telemetry_blob jsonb, status varchar(20),
    created_at timestamptz DEFAULT now())
"""
INSERT = """
INSERT INTO naive_trips (id, vehicle_id, driver_id, telemetry_blob, status) VALUES (%s, %s, %s, %s, 'PENDING')
"""

app = FastAPI()


class Point(BaseModel):
    """One sample."""

    speed_kmh: float = Field(ge=0, le=400)
    g_force_long: float = Field(ge=-20, le=20)
    g_force_lat: float | None = None
    timestamp: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None


class Trip(BaseModel):
    """One trip."""

    vehicle_id: UUID
    driver_id: UUID
    timestamp: datetime | None = None
    sample_hz: float | None = None
    data: list[Point] = Field(min_length=1)


@app.post("/api/v1/telemetry", status_code=202)
def post_trip(trip: Trip) -> dict[str, str]:
    """Insert, commit, publish, answer."""
    trip_id = uuid4()
    points = json.dumps([point.model_dump(mode="json", exclude_none=True) for point in trip.data])
    with psycopg.connect(DATABASE_URL) as conn:
        conn.execute(INSERT, (trip_id, trip.vehicle_id, trip.driver_id, points))
    publish(str(trip_id))
    return {"status": "QUEUED", "trip_id": str(trip_id)}


def publish(trip_id: str) -> None:
    """Tell the worker, on a connection opened for it."""
    if RABBITMQ_URL is None:
        with psycopg.connect(DATABASE_URL, autocommit=True) as conn:
            conn.execute("SELECT pg_notify(%s, %s)", (QUEUE, trip_id))
        return
    connection = pika.BlockingConnection(pika.URLParameters(RABBITMQ_URL))
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True)
    channel.basic_publish("", QUEUE, trip_id.encode(), pika.BasicProperties(delivery_mode=2))
    connection.close()


with psycopg.connect(DATABASE_URL) as _conn:
    _conn.execute(CREATE)
