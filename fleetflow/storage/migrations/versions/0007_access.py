"""Accounts, sessions, API keys and the audit log."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE telemetry.accounts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name VARCHAR(100) NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    must_change_password BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_name_check CHECK (length(name) > 0 AND name = btrim(name)),
    CONSTRAINT accounts_roles_check CHECK (roles <@ ARRAY['fleet_manager', 'safety_officer', 'admin'] AND cardinality(roles) > 0)
);
CREATE UNIQUE INDEX accounts_name_idx ON telemetry.accounts (lower(name));
CREATE TABLE telemetry.sessions (
    token_hash BYTEA NOT NULL,
    account_id BIGINT NOT NULL,
    idle_s INTEGER NOT NULL,
    address VARCHAR(100) DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
    CONSTRAINT sessions_idle_s_check CHECK (idle_s > 0),
    CONSTRAINT sessions_account_id_fkey FOREIGN KEY(account_id) REFERENCES telemetry.accounts (id) ON DELETE CASCADE
);
CREATE INDEX sessions_account_id_idx ON telemetry.sessions (account_id);
CREATE TABLE telemetry.api_keys (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name VARCHAR(100) NOT NULL,
    prefix VARCHAR(20) NOT NULL,
    key_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_prefix_key UNIQUE (prefix),
    CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY['write', 'read'] AND cardinality(scopes) > 0)
);
CREATE TABLE telemetry.audit_log (
    id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action VARCHAR(60) NOT NULL,
    subject TEXT NOT NULL,
    before JSONB,
    after JSONB,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_log_at_idx ON telemetry.audit_log (at);
"""

# The database makes the chain, so that no program can write an entry outside of it. Numbers have no gaps: whoever
# takes the lock is the next. Times are hashed as seconds, whose text does not depend on the session's time zone.
CHAIN = """
CREATE FUNCTION telemetry.audit_hash(entry telemetry.audit_log) RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(entry.previous || convert_to(jsonb_build_array(entry.id, extract(epoch FROM entry.at)::text,
        entry.actor, entry.address, entry.action, entry.subject, entry.before, entry.after)::text, 'UTF8'))
$$;
CREATE FUNCTION telemetry.chain_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE FUNCTION telemetry.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_chain BEFORE INSERT ON telemetry.audit_log
    FOR EACH ROW EXECUTE FUNCTION telemetry.chain_audit_entry();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON telemetry.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_audit_change();
REVOKE ALL ON telemetry.audit_log FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON telemetry.audit_log FROM CURRENT_USER;
"""

BACK = """
DROP TABLE telemetry.audit_log, telemetry.api_keys, telemetry.sessions, telemetry.accounts CASCADE;
DROP FUNCTION telemetry.chain_audit_entry, telemetry.refuse_audit_change;
"""


def upgrade() -> None:
    for statements in (TABLES, CHAIN):
        op.execute(statements)


def downgrade() -> None:
    op.execute(BACK)
