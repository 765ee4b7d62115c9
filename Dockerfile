# One image for all of FleetFlow's programs; docker-compose.yml chooses which one a container runs.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
COPY requirements.txt /build/
RUN python -m venv /opt/fleetflow \
    && /opt/fleetflow/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /build/requirements.txt \
    && /opt/fleetflow/bin/python -m pip uninstall --yes --quiet pip
WORKDIR /app
COPY fleetflow fleetflow
COPY ingest_api ingest_api
COPY worker worker
COPY dashboard dashboard
# The containers' file systems are read-only, so the bytecode has to be there beforehand.
RUN /opt/fleetflow/bin/python -m compileall -q -j 0 .

FROM ${BASE}
RUN groupadd --system --gid 10001 fleetflow \
    && useradd --system --uid 10001 --gid fleetflow --home-dir /tmp --no-create-home --shell /usr/sbin/nologin fleetflow
COPY --from=build /opt/fleetflow /opt/fleetflow
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/fleetflow/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000 8501
CMD ["python", "-m", "fleetflow", "--help"]
