"""The HTTP contract of the ingest API, over real HTTP and a real Postgres."""

from __future__ import annotations

import gzip
import json
import socket
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from fleetflow.storage.database import connection
from fleetflow.storage.tables import trip_logs
from tests.support.programs import make_settings, running_api
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.postgres
TELEMETRY = "/api/v1/telemetry"
BATCH = "/api/v1/telemetry/batch"
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
ONE_MB = 1_000_000
HALF_A_REQUEST = (
    b"POST /api/v1/telemetry HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
)


def post(api: httpx.Client, body: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return api.post(TELEMETRY, content=body, headers={**JSON, **headers})


def count_trips(engine: sa.Engine) -> int:
    with connection(engine) as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(trip_logs)) or 0


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer as a problem, checked for what every refusal owes its reader."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    content: dict[str, Any] = answer.json()
    assert (content["code"], content["status"]) == (code, status)
    assert content["title"]
    assert content["detail"]
    assert len(content.get("errors", [])) <= 20
    assert len(answer.content) <= 8_000
    return content


def test_a_trip_is_answered_202_with_its_address(api: httpx.Client):
    answer = post(api, trip_body())
    assert answer.status_code == 202
    assert answer.json() == {"status": "QUEUED", "trip_id": answer.json()["trip_id"], "duplicate": False}
    assert answer.headers["location"] == f"/api/v1/trip/{answer.json()['trip_id']}"
    trip = api.get(answer.headers["location"])
    assert trip.status_code == 200
    assert (trip.json()["status"], trip.json()["point_count"]) == ("PENDING", 2)


def test_the_same_trip_sent_again_has_the_same_id(api: httpx.Client, engine: sa.Engine):
    body = trip_body(timestamp="2026-01-01T12:00:00Z")
    first, second = post(api, body), post(api, body)
    assert second.status_code == 202
    assert second.json() == {**first.json(), "duplicate": True}
    assert count_trips(engine) == 1


def test_the_same_trip_written_differently_is_still_the_same_trip(api: httpx.Client):
    body = json.loads(trip_body(timestamp="2026-01-01T12:00:00Z", sample_hz=10))
    again = {**dict(reversed(body.items())), "timestamp": "2026-01-01T13:00:00.000+01:00", "sample_hz": 10.0}
    first, second = post(api, json.dumps(body).encode()), post(api, json.dumps(again, indent=2).encode())
    assert second.json() == {**first.json(), "duplicate": True}


def test_an_idempotency_key_gives_the_same_trip_and_refuses_other_content(api: httpx.Client, engine: sa.Engine):
    body = trip_body()
    first = post(api, body, **{"Idempotency-Key": "k1"})
    again = post(api, body, **{"Idempotency-Key": "k1"})
    assert again.json()["trip_id"] == first.json()["trip_id"]
    problem(post(api, trip_body(), **{"Idempotency-Key": "k1"}), 409, "idempotency_conflict")
    assert count_trips(engine) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
def test_an_idempotency_key_of_another_form_is_refused(api: httpx.Client, key: str):
    answer = api.post(
        TELEMETRY,
        content=trip_body(),
        headers=[(b"Content-Type", b"application/json"), (b"Idempotency-Key", key.encode())],
    )
    problem(answer, 400, "invalid_idempotency_key")


def test_a_gzip_body_is_understood(api: httpx.Client):
    assert post(api, gzip.compress(trip_body()), **{"Content-Encoding": "gzip"}).status_code == 202


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"x" * 100, mtime=0)[:-4], gzip.compress(trip_body(), mtime=0) + b"more"],
    ids=["none", "cut short", "more behind"],
)
def test_a_broken_gzip_body_is_refused(api: httpx.Client, body: bytes):
    problem(post(api, body, **{"Content-Encoding": "gzip"}), 400, "invalid_gzip")


def test_a_compression_bomb_is_refused(api: httpx.Client):
    bomb = gzip.compress(b" " * 50 * ONE_MB)
    assert len(bomb) < ONE_MB
    problem(post(api, bomb, **{"Content-Encoding": "gzip"}), 413, "body_too_large")


BAD_BODIES = {
    "nothing": (b"", "empty_body", None),
    "spaces": (b"   ", "empty_body", None),
    "no JSON": (b"{", "invalid_json", None),
    "NaN": (trip_body([{"speed_kmh": 1, "g_force_long": 0}]).replace(b"1,", b"NaN,"), "invalid_json", None),
    "no data": (trip_body([]), "validation_failed", "data"),
    "a missing field": (trip_body([{"speed_kmh": 1}]), "validation_failed", "data[0].g_force_long"),
    "a wrong id": (trip_body(driver_id="x'); DROP TABLE trips;--"), "validation_failed", "driver_id"),
    "a NUL in an id": (trip_body(vehicle_id="a\0b"), "validation_failed", "vehicle_id"),
    "a trip of the future": (trip_body(timestamp="2999-01-01T00:00:00Z"), "validation_failed", "timestamp"),
    "an unknown field": (trip_body(driver="x"), "validation_failed", "driver"),
    "deep nesting": (b"[" * 100_000, "validation_failed", ""),
    "a million faults": (trip_body([{}] * 100_000), "validation_failed", "data[0].speed_kmh"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_and_the_next_good_trip_goes_through(name: str, api: httpx.Client, engine: sa.Engine):
    body, code, path = BAD_BODIES[name]
    content = problem(post(api, body), 400, code)
    if path is not None:
        assert content["errors"][0]["path"] == path
    assert count_trips(engine) == 0
    assert post(api, trip_body()).status_code == 202


def test_a_refusal_never_repeats_the_input_nor_names_what_fleetflow_is_made_of(api: httpx.Client):
    secret = "s3cret-looking-value"
    answer = post(api, trip_body(driver_id=secret, timestamp=secret))
    text = answer.text.lower()
    for word in (secret, "python", "msgspec", "traceback", "select", "telemetry_blob"):
        assert word not in text


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("text/plain", "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "unsupported_media_type"),
        ("application/vnd.api+json", "unsupported_media_type"),
        ("", "unsupported_media_type"),
        ("application/json; charset=latin-1", "unsupported_charset"),
    ],
)
def test_another_media_type_is_refused(api: httpx.Client, content_type: str, code: str):
    problem(api.post(TELEMETRY, content=trip_body(), headers={"Content-Type": content_type}), 415, code)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_json_in_utf8_is_taken_however_it_is_announced(api: httpx.Client, content_type: str):
    answer = api.post(TELEMETRY, content=trip_body(), headers={"Content-Type": content_type})
    assert answer.status_code == 202


def test_another_encoding_is_refused(api: httpx.Client):
    problem(post(api, trip_body(), **{"Content-Encoding": "br"}), 415, "unsupported_encoding")


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(database_url: str):
    body = trip_body()
    with running_api(make_settings(max_body_bytes=2_000), database_url) as api:
        assert post(api, body + b" " * (2_000 - len(body))).status_code == 202
        problem(post(api, body + b" " * (2_001 - len(body))), 413, "body_too_large")
        problem(post(api, iter([body, b" " * 2_000])), 413, "body_too_large")


def test_a_stalled_body_is_ended(api: httpx.Client):
    with socket.create_connection((api.base_url.host, api.base_url.port or 0), timeout=10) as sock:
        sock.sendall(HALF_A_REQUEST)
        assert sock.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_client_that_hangs_up_leaves_nothing_behind(api: httpx.Client, engine: sa.Engine):
    with socket.create_connection((api.base_url.host, api.base_url.port or 0), timeout=10) as sock:
        sock.sendall(HALF_A_REQUEST)
    assert post(api, trip_body()).status_code == 202
    assert count_trips(engine) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused_with_the_one_that_works(api: httpx.Client, method: str):
    answer = api.request(method, TELEMETRY)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/api/v1/telemetry/", "/nothing", "/api/v1/trip"])
def test_an_unknown_address_is_404_and_never_a_redirect(api: httpx.Client, path: str):
    problem(api.post(path, content=trip_body(), headers=JSON), 404, "not_found")


@pytest.mark.parametrize("rest", ["", "/score", "/events"])
def test_an_unknown_trip_is_404_and_a_malformed_id_400(api: httpx.Client, rest: str):
    problem(api.get(f"/api/v1/trip/{uuid.uuid4()}{rest}"), 404, "not_found")
    content = problem(api.get(f"/api/v1/trip/17{rest}"), 400, "validation_failed")
    assert content["errors"] == [{"path": "trip_id", "message": "must be a UUID"}]


@pytest.mark.parametrize("rest", ["/score", "/events"])
def test_what_is_not_there_yet_is_202_with_the_status(api: httpx.Client, rest: str):
    trip_id = post(api, trip_body()).json()["trip_id"]
    answer = api.get(f"/api/v1/trip/{trip_id}{rest}")
    assert (answer.status_code, answer.json()) == (202, {"trip_id": trip_id, "status": "PENDING"})


def test_a_batch_is_answered_line_by_line(api: httpx.Client, engine: sa.Engine):
    good = [trip_body(), trip_body()]
    answer = api.post(
        BATCH, content=b"\n".join([good[0], b"", b"{", good[1], good[0], trip_body([{}])]), headers=NDJSON
    )
    assert answer.status_code == 202
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["line"], line["status"], line.get("duplicate")) for line in lines] == [
        (1, "QUEUED", False),
        (3, "REFUSED", None),
        (4, "QUEUED", False),
        (5, "QUEUED", True),
        (6, "REFUSED", None),
    ]
    assert lines[0]["trip_id"] == lines[3]["trip_id"]
    assert lines[1]["code"] == "invalid_json"
    assert [error["path"] for error in lines[4]["errors"]] == ["data[0].speed_kmh", "data[0].g_force_long"]
    assert count_trips(engine) == 2


def test_a_batch_without_a_good_line_is_400(api: httpx.Client, engine: sa.Engine):
    content = problem(api.post(BATCH, content=b"{\n" + trip_body([{}]), headers=NDJSON), 400, "validation_failed")
    assert [error["path"] for error in content["errors"]] == [
        "line 1",
        "line 2: data[0].speed_kmh",
        "line 2: data[0].g_force_long",
    ]
    assert count_trips(engine) == 0


def test_the_api_says_whether_it_is_alive_and_ready(api: httpx.Client):
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").json() == {"status": "ready", "storage": "ok", "queue": "ok"}


def test_the_metrics_count_what_happened(api: httpx.Client):
    body = trip_body()
    post(api, body)
    post(api, body)
    post(api, b"{")
    text = api.get("/metrics").text
    for line in (
        "fleetflow_trips_accepted_total 1.0",
        "fleetflow_queue_reachable 1.0",
        "fleetflow_trips_duplicate_total 1.0",
        "fleetflow_points_accepted_total 2.0",
        'fleetflow_trips_refused_total{code="invalid_json"} 1.0',
    ):
        assert line in text


def test_the_openapi_document_tells_the_truth(api: httpx.Client):
    document = api.get("/openapi.json").json()
    assert "422" not in json.dumps(document)
    post_trip = document["paths"][TELEMETRY]["post"]
    assert set(post_trip["responses"]) == {"202", "400", "401", "403", "408", "409", "410", "413", "415", "429", "503"}
    example = post_trip["requestBody"]["content"]["application/json"]["example"]
    assert post(api, json.dumps(example).encode()).status_code == 202
    point = document["components"]["schemas"]["Point"]["properties"]
    assert (point["g_force_long"]["minimum"], point["g_force_long"]["maximum"]) == (-20.0, 20.0)
    assert document["components"]["schemas"]["Trip"]["additionalProperties"] is False
    assert api.get("/docs").status_code == 200


def test_one_answer_never_names_the_server_software(api: httpx.Client):
    assert "server" not in post(api, trip_body()).headers
