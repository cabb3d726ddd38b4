FROM python:3.12-slim-bookworm AS builder
RUN python -m venv /opt/venv
COPY requirements.txt /
RUN /opt/venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r /requirements.txt
# The command and the import path, as scripts/setup.sh makes them in a checkout.
RUN echo /app >"$(echo /opt/venv/lib/python3*/site-packages)/permits.pth" \
    && printf '%s\n' '#!/bin/sh' 'exec /opt/venv/bin/python -m permits "$@"' >/opt/venv/bin/permits \
    && chmod +x /opt/venv/bin/permits

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin permits \
    && install -d -o permits /checkpoints
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
# Named one by one, so that no secret, data or environment of a checkout ever enters an image.
COPY LICENSE app.py ./
COPY examples examples
COPY migrations migrations
COPY rulebooks rulebooks
COPY templates templates
COPY permits permits
# The fonts' cache is the only thing written, and /tmp the only place to.
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp
USER permits
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["permits", "serve", "--host", "0.0.0.0"]
