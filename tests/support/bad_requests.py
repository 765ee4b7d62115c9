"""Bad requests, each with the statuses that may answer it: bodies, headers, raw bytes and keys."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from tests.support.trips import trip_body
from tests.support.wire import request

VALID = trip_body(timestamp="2026-01-01T12:00:00Z")
BATCH = "/api/v1/telemetry/batch"
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A request, what may answer it, and the problem's code where one is due."""

    sent: bytes
    statuses: frozenset[int]
    code: str | None = None
    longest_s: float = 0.1


def with_field(name: str, literal: bytes) -> bytes:
    """The valid trip with one field of its own given as these bytes."""
    trip = json.loads(VALID)
    trip[name] = "PLACE"
    return json.dumps(trip).encode().replace(b'"PLACE"', literal)


def with_value(literal: bytes, name: str = "speed_kmh") -> bytes:
    """The valid trip with one value of its first point given as these bytes."""
    trip = json.loads(VALID)
    trip["data"][0][name] = "PLACE"
    return json.dumps(trip).encode().replace(b'"PLACE"', literal)


def points(count: int, point: bytes) -> bytes:
    """A trip of so many equal points."""
    head = VALID[: VALID.index(b'"data"')]
    return head + b'"data":[' + b",".join([point] * count) + b"]}"


def _refused(code: str, **bodies: bytes) -> dict[str, Case]:
    return {name: Case(request(body), frozenset({400}), code) for name, body in bodies.items()}


def _fields(name: str, *literals: bytes) -> dict[str, Case]:
    return {
        f"{name} {literal[:30]!r}": Case(request(with_field(name, literal)), frozenset({400})) for literal in literals
    }


def _values(*literals: bytes, name: str = "speed_kmh") -> dict[str, Case]:
    return {
        f"{name} {literal[:30]!r}": Case(request(with_value(literal, name)), frozenset({400})) for literal in literals
    }


def _answered(*statuses: int, code: str | None = None, **sent: bytes) -> dict[str, Case]:
    return {name.replace("_", " "): Case(each, frozenset(statuses), code) for name, each in sent.items()}


def _without(name: str) -> bytes:
    trip = json.loads(VALID)
    del trip[name]
    return json.dumps(trip).encode()


BODIES: dict[str, Case] = {
    **_refused("empty_body", nothing=b"", spaces=b"   ", lines=b"\r\n\t\n"),
    **_refused(
        "validation_failed",
        null=b"null", list=b"[]", string=b'"x"', number=b"1", true=b"true", empty_object=b"{}",
        no_data=_without("data"), no_vehicle=_without("vehicle_id"), no_driver=_without("driver_id"),
        mass_assignment=VALID[:-1] + b',"status":"COMPLETED","score":100}',
        a_million_character_id=with_field("vehicle_id", b'"' + b"x" * MB + b'"'),
        a_long_field=VALID[:-1] + b',"' + b"y" * MB + b'":1}',
    ),
    **_refused(
        "invalid_json",
        cut=VALID[:-5], trailing_comma=VALID[:-1] + b",}", twice=VALID + VALID, comment=b"/*c*/" + VALID,
        single_quotes=VALID.replace(b'"', b"'"), half=VALID[: len(VALID) // 2], brace=b"{", text=b"hello",
        utf16_with_bom=VALID.decode().encode("utf-16"), utf16=VALID.decode().encode("utf-16-le"),
        bom=b"\xef\xbb\xbf" + VALID, form_feed=b"\x0c" + VALID, nul_first=b"\x00" + VALID, nul_last=VALID + b"\x00",
    ),
    **_values(
        b"NaN", b"Infinity", b"-Infinity", b'"NaN"', b'"inf"', b'"12.5"', b"true", b"false", b"null", b"1" + b"0" * 400,
        b"0x10", b".5", b"5.", b"+5", b"01", b"-5", b"400.001", b"1e999", b"-1e999", b"[]", b"{}", b"[50]", b"1_000",
        b"1,5", b"--1", b"1e", b"\xc2\xb2",
    ),
    **_values(b"50", b"-50", b"20.001", b"-20.001", b"NaN", b"null", b'"0.1"', b"true", b"1e400", name="g_force_long"),
    **_values(b"21", b"-21", b'"0"', b"NaN", name="g_force_lat"),
    **_values(b"91", b"-90.0001", b"NaN", b'"52"', name="latitude"),
    **_values(b"181", b"-180.0001", b"true", name="longitude"),
    **_values(b"361", b"-1", name="heading_deg"),
    **_values(b"-1", b"1e8", name="odometer_km"),
    **_values(b"0", b'"noon"', b'"2026-01-01T12:00:00"', b'"1970-01-01T00:00:00Z"', name="timestamp"),
    **_fields(
        "driver_id",
        b'""', b'"   "', b"5", b"null", b"true", b"[]", b"{}", b'"a\\u0000b"', b'"\\ud800"', b'"\xff\xfe"', b'"a\x00b"',
        b'"a\tb"', b'"\\u202e"', "\U0001f69a".encode().join([b'"', b'"']), b'"../../etc/passwd"',
        b"\"x'); DROP TABLE trips;--\"", b'"{{7*7}}"', b'"${jndi:ldap://x}"', b'"<script>alert(1)</script>"', b'"%00"',
        b'"0190163d-8694-739b-aea5-966c26f8ad9"', b'"0190163d-8694-739b-aea5-966c26f8ad91x"',
        b'"=cmd|calc"', b'"\\n{\\"level\\":1}"',
    ),
    **_fields(
        "timestamp",
        b"0", b"1767225600", b"NaN", b'"2026-01-01T00:00:00"', b'"2026-01-01"', b'"0000-01-01T00:00:00Z"',
        b'"9999-12-31T23:59:59-12:00"',
        b'"0001-01-01T00:00:00+12:00"', b'"2026-01-01T23:59:60Z"', b'"1970-01-01T00:00:00Z"', b'"2100-01-01T00:00:00Z"',
        b'"now"', b'"2026-13-01T00:00:00Z"', b'"2026-02-30T00:00:00Z"', b'""', b"[]",
    ),
    **_fields("sample_hz", b"0", b"-1", b"1e9", b"NaN", b'"10"', b"true", b"[]", b"1e-9"),
    **_fields("data", b"[]", b"null", b"{}", b'""', b"1", b"[[]]", b"[null]", b"[1]", b"[{}]", b'["x"]', b"[[[[]]]]"),
    **_refused(
        "validation_failed",
        nested_unknown=VALID[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}",
        a_hundred_thousand_bad_points=points(100_000, b'{"speed_kmh":-1,"g_force_long":99}'),
        a_hundred_thousand_empty_points=points(100_000, b"{}"),
        many_empty_lists=points(1_000_000, b"[]"),
        too_many_points=points(200_001, b'{"speed_kmh":1,"g_force_long":0}'),
        bad_at_the_end=points(50_000, b'{"speed_kmh":1,"g_force_long":0}')[:-2] + b',{"speed_kmh":1}]}',
        many_unknown_fields=VALID[:-1] + b"".join(b',"f%d":1' % each for each in range(10_000)) + b"}",
    ),
    **_answered(400, deep_list=request(b"[" * 100_000), deep_object=request(b'{"a":' * 100_000),
                deep_in_a_field=request(VALID[:-1] + b',"x":' + b"[" * 100_000 + b"}"),
                deep_in_data=request(with_field("data", b"[" * 100_000))),
    **_refused("validation_failed", a_point_after_the_end_of_time=trip_body([
        {"speed_kmh": 1, "g_force_long": 0, "timestamp": "2026-01-01T00:00:00Z"},
        {"speed_kmh": 1, "g_force_long": 0, "timestamp": "9999-12-31T23:59:59-12:00"},
    ])),
    **_answered(202, 400, a_million_digits=request(with_value(b"0." + b"1" * MB)),
                a_key_twice=request(VALID[:-1] + b',"driver_id":"0190163d-8694-739b-aea5-966c26f8ad91"}'),
                many_zeros=request(with_value(b"0" * 1 + b"." + b"0" * MB))),
}  # fmt: skip

HEADERS: dict[str, Case] = {
    **{
        f"type {given!r}": Case(request(VALID, Content_Type=given), frozenset({415}))
        for given in (
            "text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json", "multipart/form-data", "",
            "application/json; charset=latin-1", "application/json; charset=utf-16", "json", "*/*", ";",
            "application/json2",
        )
    },
    **{
        f"encoding {given!r}": Case(request(VALID, Content_Encoding=given), frozenset({415}))
        for given in ("br", "deflate", "zstd", "gzip, gzip", "compress", "x", "gzip;q=1")
    },
    **_answered(
        400, code="invalid_gzip",
        no_gzip=request(VALID, Content_Encoding="gzip"),
        a_gzip_cut_short=request(gzip.compress(VALID)[:-4], Content_Encoding="gzip"),
        a_gzip_and_more=request(gzip.compress(VALID) + b"more", Content_Encoding="gzip"),
        a_spoilt_gzip=request(gzip.compress(VALID)[:20] + b"\xff" * 20, Content_Encoding="gzip"),
        a_gzip_head=request(gzip.compress(VALID)[:10], Content_Encoding="gzip"),
    ),
    **_answered(400, a_gzip_of_nothing=request(gzip.compress(b""), Content_Encoding="gzip"),
                a_gzip_of_spaces=request(gzip.compress(b"  "), Content_Encoding="gzip"),
                a_gzip_of_a_gzip=request(gzip.compress(gzip.compress(VALID)), Content_Encoding="gzip")),
    **_answered(413, code="body_too_large",
                too_long_as_said=request(Content_Length="10000001"),
                too_long_by_far=request(Content_Length="99999999999"),
                too_long_with_expect=request(Content_Length="20000000", Expect="100-continue"),
                a_flood_of_lists=request(b"[" + b"[]," * 3_400_000, Content_Length=str(10_200_001)),
                too_long_in_chunks=request(Content_Length="", Transfer_Encoding="chunked")
                + (b"%x\r\n" % MB + b" " * MB + b"\r\n") * 11 + b"0\r\n\r\n"),
    **{f"method {method}": Case(request(method=method), frozenset({405}), "method_not_allowed")
       for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")},
    **{f"path {path}": Case(request(VALID, path=path), frozenset({404}), "not_found")
       for path in ("/api/v1/telemetry/", "/", "/nothing", "/api/v1/trip", "/api/v1//telemetry", "/api/v1/TELEMETRY",
                    "/api/v1/telemetry/%2e%2e", "/api/v1/telemetry/../../etc/passwd", "/%00", "/api/v1/telemetry%00")},
    **{f"trip {path}": Case(request(method="GET", path=f"/api/v1/trip/{path}"), frozenset({400, 404}))
       for path in ("17", "x" * 2000, "%00", "..%2f..", "%27%20OR%201=1", "0190163d-8694-739b-aea5-966c26f8ad91",
                    "0190163d-8694-739b-aea5-966c26f8ad91/score", "17/events", "%f0%9f%9a%9a", "{}")},
    **{f"idempotency key {name}": Case(request(VALID, Idempotency_Key=key), frozenset({400}), "invalid_idempotency_key")
       for name, key in {"too long": "x" * 256, "latin": "caf\xe9", "a tab": "a\tb"}.items()},
    **_answered(400, batch_of_nothing=request(b"\n\n \n", path=BATCH, Content_Type="application/x-ndjson"),
                batch_of_rubbish=request(b"{\n[]\nnull\n" * 500, path=BATCH, Content_Type="application/x-ndjson"),
                batch_of_one_long_line=request(b"{" * 5 * MB, path=BATCH, Content_Type="application/x-ndjson")),
    **_answered(413, batch_of_too_many_lines=request(b"{\n" * 20_001, path=BATCH, Content_Type="application/x-ndjson")),
    **_answered(400, batch_of_line_ends=request(b"\n" * 9 * MB, path=BATCH, Content_Type="application/x-ndjson")),
    **_answered(415, batch_as_text=request(VALID, path=BATCH, Content_Type="text/csv")),
}  # fmt: skip

BOMB_S = 0.25
"""What forty megabytes take to unpack, until the limit is met."""
HEADERS["a bomb"] = Case(
    request(gzip.compress(b" " * 100 * MB, 9), Content_Encoding="gzip"), frozenset({413}), "body_too_large", BOMB_S
)
CLOSED = 0
"""The connection was closed without an answer, as one that makes no sense may be."""
RAW: dict[str, Case] = {
    **_answered(400, CLOSED, 404, 405, 413, 414, 431, 501, 505,
                more_than_said=request(VALID + b"x" * 2000, Content_Length="5"),
                a_negative_length=request(VALID, Content_Length="-5"),
                a_length_of_twenty_digits=request(VALID, Content_Length="9" * 20),
                a_length_in_hex=request(VALID, Content_Length="0x10"),
                a_length_with_a_plus=request(VALID, Content_Length="+5"),
                two_lengths=request(VALID, Content_Length="5\r\nContent-Length: 6"),
                length_and_chunks=request(VALID, Transfer_Encoding="chunked"),
                bad_chunks=request(Content_Length="", Transfer_Encoding="chunked") + b"zz\r\nxx\r\n0\r\n\r\n",
                a_huge_chunk=request(Content_Length="", Transfer_Encoding="chunked") + b"ffffffffffffffffff\r\nx",
                an_address_of_another=request(method="GET", path="@example.com"),
                an_absolute_address=request(method="GET", path="http://example.com/"),
                a_header_of_a_hundred_kilobytes=request(method="GET", path="/nothing", X="y" * 100_000),
                a_long_address=request(method="GET", path="/" + "y" * 100_000),
                a_nul_in_a_header=request(method="GET", X="a\x00b", path="/nothing"),
                bare_line_feeds=b"GET /nothing HTTP/1.1\nHost: x\n\n",
                a_tls_hello=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
                http_0_9=b"GET /\r\n\r\n", http_2=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http_9=request(version="9.9"),
                a_method_of_its_own=request(method="BREW"), a_method_in_lower_case=request(method="post"),
                no_host=b"GET /nothing HTTP/1.1\r\n\r\n",
                a_folded_header=b"GET /nothing HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
                noise=bytes(range(256)) * 20, line_ends=b"\r\n" * 1000 + b"x\r\n\r\n",
                a_colon_less_header=b"GET /nothing HTTP/1.1\r\nrubbish\r\n\r\n",
                a_space_before_the_colon=b"GET /nothing HTTP/1.1\r\nX : y\r\n\r\n",
                connect=b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
}  # fmt: skip
MANY_HEADERS = b"".join(b"X-%d: y\r\n" % each for each in range(5_000))
RAW["five thousand headers"] = Case(
    b"GET /nothing HTTP/1.1\r\nHost: x\r\n" + MANY_HEADERS + b"\r\n", RAW["noise"].statuses
)

KEYS: dict[str, Case] = {
    name: Case(request(VALID, path=path, **headers), frozenset({401}), code)
    for name, path, headers, code in (
        ("no key", "/api/v1/telemetry", {}, "key_missing"),
        ("a key in the address", "/api/v1/telemetry?key=fleetflow_x&api_key=x&token=x", {}, "key_missing"),
        ("a cookie", "/api/v1/telemetry", {"Cookie": "fleetflow_session=x"}, "key_missing"),
        ("an empty bearer", "/api/v1/telemetry", {"Authorization": "Bearer "}, "key_unknown"),
        ("no scheme", "/api/v1/telemetry", {"Authorization": "x"}, "key_unknown"),
        ("basic", "/api/v1/telemetry", {"Authorization": "Basic eDp4"}, "key_unknown"),
        ("an unknown key", "/api/v1/telemetry", {"Authorization": "Bearer fleetflow_abcdefgh_x"}, "key_unknown"),
        ("ten kilobytes", "/api/v1/telemetry", {"Authorization": "Bearer " + "x" * 10_000}, "key_unknown"),
        ("latin", "/api/v1/telemetry", {"Authorization": "Bearer caf\xe9"}, "key_unknown"),
        ("a quote", "/api/v1/telemetry", {"Authorization": "Bearer ' OR '1'='1"}, "key_unknown"),
        ("two keys", "/api/v1/telemetry", {"Authorization": "Bearer a b c"}, "key_unknown"),
        ("a batch without a key", BATCH, {}, "key_missing"),
    )
}


def with_key(case: Case, key: str) -> Case:
    """The same request by somebody who may."""
    head, separator, rest = case.sent.partition(b"\r\n")
    if not separator or b"HTTP/" not in head:
        return case
    return Case(
        head + separator + f"Authorization: Bearer {key}\r\n".encode() + rest, case.statuses, case.code, case.longest_s
    )


def problem_of(body: bytes) -> dict[str, Any] | None:
    """The problem that an answer tells, if it tells one."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "code" in content else None
