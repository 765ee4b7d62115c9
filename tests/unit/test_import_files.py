"""Files as people really have them: what is taken, what is refused, and in which words."""

from __future__ import annotations

import gzip
import io
import pickle
import time
import zipfile
from datetime import UTC, datetime

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from fleetflow.importers import FileLimits, FileRefusedError, Import, Mapping, Use, import_file
from fleetflow.importers.roles import Role
from tests.support.trips import trip_body

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
HEADER = "timestamp,speed_kmh,g_force_long"
ROWS = [f"2026-01-05T08:00:{second:02d}Z,{50 + second},0.1" for second in range(30)]
GPX = '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{}</trkseg></trk></gpx>'


def taken(content: bytes | str, mapping: Mapping | None = None, **more) -> Import:
    text = content.encode() if isinstance(content, str) else content
    return import_file(text, latest=LATEST, mapping=mapping, **more)


def csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *(rows or ROWS)]) + "\n"


def refusal(content: bytes | str, **more) -> str:
    with pytest.raises(FileRefusedError) as refused:
        taken(content, **more)
    return str(refused.value)


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def parquet_of(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def feather_file() -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(pa.table({"a": [1]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (HEADER, "No data rows."),
        (",".join(f"c{n}" for n in range(200_000)) + "\n1\n", "200,000 columns; the limit is 200."),
        (zipped(a="x"), "This is a ZIP archive; archives are not accepted, unpack it first."),
        (zipped(**{"../../x": "x"}), "This is a ZIP archive; archives are not accepted, unpack it first."),
        (b"PK\x03\x04broken", "The ZIP archive is damaged."),
        (b"\x89PNG\r\n\x1a\n", "This is a PNG picture."),
        (b"MZ\x90\x00", "This is a program."),
        (b"\x7fELF\x02", "This is a program."),
        (
            pickle.dumps({"a": 1}),
            "This is a Python pickle, which may run code and is never opened; save it as Parquet.",
        ),
        (feather_file(), "This is an Arrow file; save it as Parquet."),
        (b"PAR1 and nothing else", "The Parquet file is damaged."),
        (gzip.compress(b"x" * 2_000_000, mtime=0), "The file unpacks to more than 1 MB, which is the limit."),
        (gzip.compress(csv().encode(), mtime=0)[:-20], "The gzip file ends early: it was not copied whole."),
        (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "The file is packed twice; unpack it once."),
        (csv(header="speed_kmh,speed_kmh,g_force_long"), "The header has the column “speed_kmh” twice."),
        ("\n".join(ROWS), "The first line holds values, not the names of the columns; add a header."),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "The JSON is nested too deeply."),
        (b"[1, 2", "This begins as a JSON list and is none: it ends early or is damaged."),
        (b"<html><body>", "This is an XML or HTML file, not GPX."),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(content: bytes | str, message: str):
    assert refusal(content, limits=FileLimits(max_unpacked_bytes=1_000_000, max_bytes=3_000_000)) == message


def test_a_file_without_a_speed_is_kept_open_for_somebody_to_say_which_column_it_is():
    found = taken(csv("2026-01-05T08:00:00Z,2", "2026-01-05T08:00:01Z,4", header="timestamp,Vx"))
    assert (found.drives, found.notes) == ([], ("No column is a speed or a position; say which one is.",))
    assert found.mapping is not None
    (drive,) = taken(csv(*ROWS, header="timestamp,Vx,g"), found.mapping.with_use("Vx", Role.SPEED, "km/h")).drives
    assert len(drive.trip.samples) == 30


def test_limits_are_named_with_what_was_found():
    assert refusal(b"x" * 51_000_000) == "51 MB; the limit is 50 MB."
    assert refusal(csv(), limits=FileLimits(max_rows=20)) == "30 rows; the limit is 20."


def test_many_columns_and_one_long_string_are_refused_at_once():
    began = time.perf_counter()
    refusal(",".join(f"c{n}" for n in range(200_000)) + "\n")
    refusal(b'{"a": "' + b"x" * 40_000_000 + b'"}')
    assert time.perf_counter() - began < 3


def test_a_parquet_file_of_many_rows_is_refused_before_it_is_read():
    table = pa.table({"speed": pa.array(np.zeros(3_000_000), pa.float64()).dictionary_encode()})
    assert refusal(parquet_of(table)) == "3,000,000 rows; the limit is 2,000,000."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_any_usual_encoding(encoding: str):
    text = csv(*(f"{row},Müller" for row in ROWS), header=f"{HEADER},Fahrer")
    (drive,) = taken(text.encode(encoding)).drives
    assert drive.driver == "Müller"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_kind_do(end: str):
    assert len(taken(csv().replace("\n", end).rstrip().encode()).drives[0].trip.samples) == 30


def test_a_line_that_is_no_utf8_is_refused_alone():
    lines = csv(*ROWS * 1).encode().split(b"\n")
    lines[17] = lines[17] + b"\xff\xfe"
    found = taken(b"\n".join(lines))
    assert [(each.line, each.reason) for each in found.refusals.kept] == [(18, "is not UTF-8")]
    assert len(found.drives[0].trip.samples) == 29


def test_lines_with_other_cells_than_the_header_are_refused_by_their_numbers():
    for quote in ("", '"'):
        rows = [f"{quote}2026-01-05T08:00:00Z{quote},50,0.1", "\n", "1,2,3,4", ROWS[1], "a,b", ROWS[2]]
        found = taken("\n".join([HEADER, "", *rows]))
        assert [each.line for each in found.refusals.kept] == [6, 8]
        assert "cells under a header of 3" in found.refusals.kept[0].reason
        assert len(found.drives[0].trip.samples) == 3


def test_a_separator_at_the_end_of_every_row_moves_nothing():
    (drive,) = taken(csv(*(f"{row}," for row in ROWS))).drives
    assert drive.trip.samples.speed_kmh[:3].tolist() == [50, 51, 52]


def test_semicolons_with_decimal_commas_are_recognised():
    found = taken(
        csv(*(row.replace(",", ";").replace("0.1", "0,125") for row in ROWS), header=HEADER.replace(",", ";"))
    )
    assert found.format == "CSV, separated by semicolons, decimal commas"
    assert found.drives[0].trip.samples.g_force_long[0] == 0.125


def test_cells_that_are_no_numbers_and_values_out_of_range_refuse_their_row():
    rows = [*ROWS[:10], "2026-01-05T08:00:10Z,fast,0.1", "2026-01-05T08:00:11Z,900,0.1", "2026-01-05T08:00:12Z,-1,0",
            "2026-01-05T08:00:13Z,50,31.7", "yesterday,50,0.1", *ROWS[15:]]  # fmt: skip
    found = taken(csv(*rows), Mapping({"timestamp": Use(Role.TIME, "y-m-d"), "speed_kmh": Use(Role.SPEED, "km/h"),
                                       "g_force_long": Use(Role.LONG_G, "g")}))  # fmt: skip
    told = {each.line: (each.column, each.value, each.reason) for each in found.refusals.kept}
    assert told[12] == ("speed_kmh", "fast", "is no number")
    assert told[13] == ("speed_kmh", "900.0" if told[13][1].endswith(".0") else "900", "is not between 0 and 400 km/h")
    assert told[14][2] == "is negative, which loggers write where they have no speed"
    assert told[15][2] == "is not between -20 and 20 g"
    assert told[16] == ("timestamp", "yesterday", "is no time")
    assert found.refusals.count == 5


def test_values_in_metres_per_second_squared_are_asked_about():
    rows = [f"2026-01-05T08:00:{second:02d}Z,50,{3.92 if second % 7 else -9.8}" for second in range(30)]
    found = taken(csv(*rows, header="timestamp,speed_kmh,accel"))
    (question,) = found.questions
    assert question.title == "Is accel in m/s2?"
    assert "Values reach 9.8: are these m/s2?" in question.evidence
    assert [choice.label for choice in question.choices] == ["Yes, m/s2", "No, g"]


def test_a_speed_without_a_unit_is_never_guessed_silently():
    found = taken(csv(header="timestamp,speed,g_force_long"))
    assert [question.title for question in found.questions] == ["Is speed in km/h?"]
    assert "128 km/h if mph" in found.questions[0].evidence.replace("127 km/h", "128 km/h")
    assert found.questions[0].choices[1].mapping.unit(Role.SPEED) == "mph"


@pytest.mark.parametrize(
    ("first", "second", "unit"),
    [
        ("1767600000", "1767600001", "Unix s"),
        ("1767600000000", "1767600001000", "Unix ms"),
        ("05/13/2026 08:00:00", "05/13/2026 08:00:01", "m/d/y"),
        ("13.5.2026 08:00:00", "13.5.2026 08:00:01", "d/m/y"),
        ("13-May-2026 08:00:00.000", "13-May-2026 08:00:01.000", "d/m/y"),
        ("2026-01-05 08:00:00+0200", "2026-01-05 08:00:01+0200", "y-m-d"),
        ("01/13/2026 08:00:00 PM", "01/13/2026 08:00:01 PM", "m/d/y"),
        ("46027.5", "46027.500011574", "Excel days"),
    ],
)
def test_times_are_read_however_they_are_written(first: str, second: str, unit: str):
    found = taken(csv(f"{first},50,0.1", f"{second},51,0.1"))
    assert found.mapping is not None
    assert found.mapping.unit(Role.TIME) == unit
    (drive,) = found.drives
    assert drive.trip.samples.t_s is not None
    assert drive.trip.samples.t_s[1] == pytest.approx(1, abs=1e-3)
    assert drive.trip.started_at is not None
    assert drive.trip.started_at.year == 2026


def test_dates_that_can_be_read_both_ways_are_asked_about():
    found = taken(csv("01/02/2026 08:00:00,50,0.1", "01/02/2026 08:00:01,50,0.1"))
    (question,) = found.questions
    assert question.title == "Are the dates d/m/y?"
    other = taken(csv("01/02/2026 08:00:00,50,0.1", "01/02/2026 08:00:01,50,0.1"), question.choices[1].mapping)
    assert [each.drives[0].trip.started_at.month for each in (found, other)] == [2, 1]  # type: ignore[union-attr]


def test_local_times_follow_the_zone_through_its_hour_that_comes_twice():
    rows = [f"2026-10-25 {hour:02d}:{minute:02d}:00,50,0.1" for hour in (1, 2) for minute in range(0, 60, 2)]
    found = import_file(csv(*rows).encode(), latest=LATEST, defaults=Mapping(zone="Europe/Berlin"))
    assert found.drives[0].trip.started_at == datetime(2026, 10, 24, 23, tzinfo=UTC)
    assert "30 rows lie in the hour that comes twice; the first was taken." in found.notes


def test_rows_out_of_order_are_sorted_and_repeated_ones_taken_once():
    found = taken(csv(*ROWS[10:], *ROWS[:10], *ROWS[3:5]))
    assert len(found.drives[0].trip.samples) == 30
    assert found.drives[0].trip.samples.speed_kmh.tolist() == list(range(50, 80))
    assert any("sorted" in note for note in found.notes)
    assert "2 rows are in the file twice and were taken once." in found.notes


def test_a_silence_ends_a_trip_and_drivers_have_trips_of_their_own():
    rows = [f"{row},{driver}" for row in ROWS for driver in ("Ann", "Bob", "Cat")]
    late = [row.replace("T08", "T10") + ",Ann" for row in ROWS]
    found = taken(csv(*rows, *late, header=f"{HEADER},driver"))
    assert [(drive.driver, len(drive.trip.samples)) for drive in found.drives] == [
        ("Ann", 30), ("Ann", 30), ("Bob", 30), ("Cat", 30),
    ]  # fmt: skip
    assert len({drive.trip.driver_id for drive in found.drives}) == 3


def test_what_looks_like_a_formula_or_markup_is_text():
    evil = ('=HYPERLINK("x")', "+1", "@SUM(1)", "<script>alert(1)</script>", "=cmd|' /C calc'!A0")
    rows = [
        f"{row.replace('T08', f'T1{n}')},{name.replace(chr(34), '')}" for n, name in enumerate(evil) for row in ROWS
    ]
    found = taken(csv(*rows, header=f"{HEADER},driver"))
    assert {drive.driver for drive in found.drives} == {name.replace('"', "") for name in evil}


def test_ndjson_with_a_bad_line_loses_that_line_only():
    lines = [f'{{"t": "2026-01-05T08:00:{n:02d}Z", "speed_kmh": {50 + n}, "g_long": 0.1}}' for n in range(8)]
    lines[4] = "{oops"
    found = taken("\n".join(lines))
    assert [(each.line, each.reason) for each in found.refusals.kept] == [(5, "is not a JSON object")]
    assert len(found.drives[0].trip.samples) == 7


def test_trips_in_the_contracts_form_need_no_mapping_and_bad_ones_say_where():
    good = trip_body([{"speed_kmh": 50, "g_force_long": 0.1}]).decode()
    bad = good.replace('"speed_kmh":50', '"speed_kmh":"fast"')
    for text in (f"{good}\n{bad}", f"[{good}, {bad}]"):
        found = taken(text)
        assert (found.format, found.mapping, len(found.drives)) == ("FleetFlow JSON", None, 1)
        assert [(each.line, each.column) for each in found.refusals.kept] == [(2, "data[0].speed_kmh")]


def test_parquet_leaves_out_what_holds_no_single_values():
    seconds = np.arange(20) * 1_000_000 + 1_767_600_000_000_000
    table = pa.table(
        {
            "time": pa.array(seconds, pa.timestamp("us", "UTC")),
            "speed_kmh": pa.array([str(50 + n) for n in range(20)]).cast(pa.decimal128(5, 1)),
            "g_long": pa.array(["0.1"] * 20).dictionary_encode(),
            "raw": pa.array([b"x"] * 20),
            "tags": pa.array([["a"]] * 20),
        }
    )
    found = taken(parquet_of(table))
    assert found.notes[0] == "Left out, as they hold no single values: raw, tags."
    assert found.drives[0].trip.samples.g_force_long.tolist() == [0.1] * 20


def array_file(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (array_file(np.arange(9.0)), "of one signal, without its time"),
        (array_file(np.array([{"a": 1}])), "of something else than numbers"),
        (array_file(np.ones((90, 4)))[:-8], "ends early"),
        (b"\x93NUMPY\x01\x00\x05\x00{'a':", "is damaged"),
    ],
)
def test_arrays_that_are_no_tables_are_refused_unopened(content: bytes, message: str):
    assert message in refusal(content)


def test_a_workbook_with_real_dates_is_read_from_its_first_sheet():
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Time", "Speed (mph)", "Accel (m/s²)"])
    for second in range(20):
        sheet.append([datetime(2026, 1, 5, 8, 0, second), 30.0, 0.980665])  # noqa: DTZ001  # Excel knows no zones
    buffer = io.BytesIO()
    book.save(buffer)
    found = taken(buffer.getvalue())
    samples = found.drives[0].trip.samples
    assert samples.speed_kmh[0] == pytest.approx(48.28032)
    assert samples.g_force_long[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_gpx_with_a_document_type_is_refused(head: str):
    text = f'<?xml version="1.0"?>{head}<gpx><trk><trkseg><trkpt lat="1" lon="1"/></trkseg></trk></gpx>'
    assert refusal(text).startswith("DTDs are not allowed")


def track(*points: tuple[float, float, int]) -> str:
    return GPX.format("".join(map(track_point, points)))


def track_point(point: tuple[float, float, int]) -> str:
    lat, lon, second = point
    return f'<trkpt lat="{lat}" lon="{lon}"><time>2026-01-05T08:00:{second:02d}Z</time></trkpt>'


def test_gpx_without_times_waypoints_only_and_single_points_are_refused():
    assert refusal(GPX.format('<trkpt lat="1" lon="1"/>')) == "The track points have no times."
    assert refusal('<gpx><wpt lat="1" lon="1"/></gpx>') == "The file has waypoints only, no track."
    found = taken(track((52.0, 9.0, 0)))
    assert (found.drives, found.refusals.kept[0].reason) == ([], "is a trip of a single point")


def test_speed_and_acceleration_come_from_positions_where_nothing_else_is_there_and_jumps_are_refused():
    way = [(52.0 + 0.0001 * n, 9.0, n) for n in range(40)]
    way[20] = (52.1, 9.0, 20)
    way[30] = (91.0, 9.0, 30)
    found = taken(track(*way))
    samples = found.drives[0].trip.samples
    assert np.median(samples.speed_kmh) == pytest.approx(40.03, abs=0.1)
    assert np.abs(samples.g_force_long).max() < 0.02
    assert len(samples) == 38
    reasons = {each.line: each.reason for each in found.refusals.kept}
    assert "is a jump: 39,270 km/h from the position before" in reasons[21]
    assert reasons[31] == "is not between -90 and 90 degrees"


def test_acceleration_from_speed_is_as_large_as_an_accelerometer_would_show_it():
    speed = [60.0] * 20 + [50.0, 38.0, 30.0] + [30.0] * 20
    rows = [f"2026-01-05T08:{second // 60:02d}:{second % 60:02d}Z,{each}" for second, each in enumerate(speed)]
    found = taken(csv(*rows, header="timestamp,speed_kmh"))
    assert found.drives[0].trip.samples.g_force_long.min() == pytest.approx(-12 / 3.6 / 9.80665 / 0.77, abs=1e-6)
    assert any("taken from the change of speed" in note for note in found.notes)


def test_a_trip_in_the_future_or_before_clocks_were_set_is_refused():
    for year, reason in (("2027", "future"), ("1980", "clock was not set")):
        found = taken(csv(*(row.replace("2026", year) for row in ROWS)))
        assert not found.drives
        assert reason in found.refusals.kept[0].reason
