"""Erasure of drivers, samples that are removed in time, and an audit log whose details can be erased."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SAMPLES = """
ALTER TABLE telemetry.trip_logs ADD COLUMN samples_removed_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX trip_logs_samples_idx ON telemetry.trip_logs (received_at)
    WHERE samples_removed_at IS NULL AND status IN ('COMPLETED', 'FAILED');
"""

# A key makes the hash of an id say nothing to whoever can read only the hashes; no program may read it. There is one,
# and more only after a restore of another installation's data.
TOMBSTONES = """
CREATE TABLE telemetry.erased_drivers (
    id_hash BYTEA NOT NULL,
    CONSTRAINT erased_drivers_pkey PRIMARY KEY (id_hash)
);
CREATE TABLE telemetry.erasure_keys (
    key BYTEA NOT NULL,
    CONSTRAINT erasure_keys_pkey PRIMARY KEY (key)
);
CREATE TABLE telemetry.erased_totals (
    drivers INTEGER NOT NULL,
    trips BIGINT NOT NULL,
    distance_km DOUBLE PRECISION NOT NULL,
    events BIGINT NOT NULL,
    CONSTRAINT erased_totals_pkey PRIMARY KEY (drivers)
);
CREATE UNIQUE INDEX erased_totals_single_idx ON telemetry.erased_totals ((true));
INSERT INTO telemetry.erasure_keys
    VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
INSERT INTO telemetry.erased_totals VALUES (0, 0, 0, 0);
"""

WALL = """
CREATE FUNCTION telemetry.erased_hash(driver UUID) RETURNS BYTEA LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    RETURN (SELECT sha256(key || uuid_send(driver)) FROM telemetry.erasure_keys ORDER BY key LIMIT 1);
END
$$;
CREATE FUNCTION telemetry.is_erased(driver UUID) RETURNS BOOLEAN LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    -- Asked for every trip that comes in: where nobody was erased yet, nothing is hashed.
    RETURN EXISTS (SELECT FROM telemetry.erased_drivers)
        AND EXISTS (SELECT FROM telemetry.erasure_keys
                    JOIN telemetry.erased_drivers ON id_hash = sha256(key || uuid_send(driver)));
END
$$;
CREATE FUNCTION telemetry.leave_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END
$$;
CREATE TRIGGER trip_logs_erased BEFORE INSERT ON telemetry.trip_logs
    FOR EACH ROW WHEN (telemetry.is_erased(NEW.driver_id)) EXECUTE FUNCTION telemetry.leave_out();
CREATE TRIGGER drivers_erased BEFORE INSERT ON telemetry.drivers
    FOR EACH ROW WHEN (telemetry.is_erased(NEW.id)) EXECUTE FUNCTION telemetry.leave_out();
REVOKE ALL ON FUNCTION telemetry.erased_hash FROM PUBLIC;
"""

NAMES = """
CREATE FUNCTION telemetry.shown_name(name TEXT) RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN current_setting('fleetflow.pseudonyms', true) = 'on' THEN NULL ELSE name END
$$;
"""

# From here on the chain holds a salted hash of what an entry is about, instead of that itself. When salt and details
# are erased, the entry's own hash can still be checked, and nobody can try out which details it was made of.
AUDIT = """
ALTER TABLE telemetry.audit_log
    ADD COLUMN salt BYTEA,
    ADD COLUMN details_hash BYTEA,
    ADD COLUMN erased BOOLEAN DEFAULT false NOT NULL;
CREATE OR REPLACE FUNCTION telemetry.audit_hash(entry telemetry.audit_log) RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(entry.previous || convert_to(CASE WHEN entry.details_hash IS NULL
        THEN jsonb_build_array(entry.id, extract(epoch FROM entry.at)::text, entry.actor, entry.address, entry.action,
                               entry.subject, entry.before, entry.after)
        ELSE jsonb_build_array(entry.id, extract(epoch FROM entry.at)::text, entry.actor, entry.address, entry.action,
                               encode(entry.details_hash, 'hex'))
        END::text, 'UTF8'))
$$;
CREATE FUNCTION telemetry.audit_details_hash(entry telemetry.audit_log) RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(entry.salt
        || convert_to(jsonb_build_array(entry.subject, entry.before, entry.after)::text, 'UTF8'))
$$;
CREATE OR REPLACE FUNCTION telemetry.chain_audit_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    last telemetry.audit_log;
BEGIN
    PERFORM pg_advisory_xact_lock(418046307412);
    SELECT * INTO last FROM telemetry.audit_log ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.previous := coalesce(last.hash, ''::bytea);
    NEW.erased := false;
    NEW.salt := uuid_send(gen_random_uuid());
    NEW.details_hash := telemetry.audit_details_hash(NEW);
    NEW.hash := telemetry.audit_hash(NEW);
    RETURN NEW;
END
$$;
CREATE FUNCTION telemetry.allow_audit_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    OLD.subject := '';
    OLD.before := NULL;
    OLD.after := NULL;
    OLD.salt := NULL;
    OLD.erased := true;
    IF NEW IS DISTINCT FROM OLD OR NEW.action = 'erase_driver' THEN
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION telemetry.erase_audit_details(entries BIGINT[]) RETURNS VOID LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
    UPDATE telemetry.audit_log SET subject = '', before = NULL, after = NULL, salt = NULL, erased = true
    WHERE id = ANY(entries)
$$;
DROP TRIGGER audit_log_append_only ON telemetry.audit_log;
CREATE TRIGGER audit_log_append_only BEFORE DELETE OR TRUNCATE ON telemetry.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_audit_change();
CREATE TRIGGER audit_log_erasure_only BEFORE UPDATE ON telemetry.audit_log
    FOR EACH ROW EXECUTE FUNCTION telemetry.allow_audit_erasure();
REVOKE ALL ON FUNCTION telemetry.erase_audit_details FROM PUBLIC;
GRANT UPDATE (subject, before, after, salt, erased) ON telemetry.audit_log TO CURRENT_USER;
"""

BACK = """
DROP TRIGGER audit_log_erasure_only ON telemetry.audit_log;
DROP TRIGGER audit_log_append_only ON telemetry.audit_log;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON telemetry.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_audit_change();
DROP FUNCTION telemetry.erase_audit_details, telemetry.allow_audit_erasure, telemetry.audit_details_hash;
DROP TRIGGER drivers_erased ON telemetry.drivers;
DROP TRIGGER trip_logs_erased ON telemetry.trip_logs;
DROP FUNCTION telemetry.shown_name, telemetry.leave_out, telemetry.is_erased, telemetry.erased_hash;
DROP TABLE telemetry.erased_totals, telemetry.erasure_keys, telemetry.erased_drivers;
DROP INDEX telemetry.trip_logs_samples_idx;
ALTER TABLE telemetry.trip_logs DROP COLUMN samples_removed_at;
ALTER TABLE telemetry.audit_log DROP COLUMN erased, DROP COLUMN details_hash, DROP COLUMN salt;
CREATE OR REPLACE FUNCTION telemetry.audit_hash(entry telemetry.audit_log) RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(entry.previous || convert_to(jsonb_build_array(entry.id, extract(epoch FROM entry.at)::text,
        entry.actor, entry.address, entry.action, entry.subject, entry.before, entry.after)::text, 'UTF8'))
$$;
CREATE OR REPLACE FUNCTION telemetry.chain_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last telemetry.audit_log;
BEGIN
    PERFORM pg_advisory_xact_lock(418046307412);
    SELECT * INTO last FROM telemetry.audit_log ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.previous := coalesce(last.hash, ''::bytea);
    NEW.hash := telemetry.audit_hash(NEW);
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    for statements in (SAMPLES, TOMBSTONES, WALL, NAMES, AUDIT):
        op.execute(statements)


def downgrade() -> None:
    op.execute(BACK)
