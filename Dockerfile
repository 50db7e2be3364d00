# syntax=docker/dockerfile:1

# mediasync in a container: the site, the syncs and the commands. docs/how-to/run-with-docker.md says how it is run.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE schema.sql ./
COPY mediasync ./mediasync
# An environment of its own can be copied as a whole, and leaves pip and the sources behind.
RUN python -m venv /opt/mediasync && /opt/mediasync/bin/pip install '.[all]'

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="mediasync" \
      org.opencontainers.image.description="Movie and TV libraries, with their full cast and crew, in one SQL database" \
      org.opencontainers.image.licenses="MIT"
# A fixed id, so that the owner of a folder on the host can be chosen before the image is there.
RUN groupadd --gid 10001 mediasync \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin mediasync \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data \
    && install --directory --mode=0755 /config
COPY --from=build /opt/mediasync /opt/mediasync
# Everything that is written is below /data, also for another user: the rest may be read-only.
ENV PATH=/opt/mediasync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    XDG_DATA_HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    MEDIASYNC_DATABASE=/data/media.db
VOLUME ["/data", "/config"]
# A mediasync.toml in the working folder is found.
WORKDIR /config
USER 10001:10001
EXPOSE 8765
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
ENTRYPOINT ["mediasync"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8765", "--token-file", "/run/secrets/web-token"]
