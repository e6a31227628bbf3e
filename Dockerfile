# Mission Control in a container; compose.yaml runs two of them with PostgreSQL and nginx. docs/scale.md says more.
ARG PYTHON=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON} AS build
WORKDIR /src
COPY requirements/run.txt requirements/
RUN python3 -m venv /app && /app/bin/pip install --no-cache-dir --require-hashes --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY mission_control mission_control
COPY templates templates
COPY static static
COPY migrations migrations
RUN /app/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${PYTHON}
# git fetches skill packs.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin mission-control \
    && install --directory --owner mission-control --group mission-control --mode 700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH HOST=0.0.0.0 DATA_DIR=/data
USER 10001:10001
WORKDIR /data
# The SQLite file and the secret key; nothing when DATABASE_URL names PostgreSQL and SECRET_KEY is set.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["mission-control", "serve"]
