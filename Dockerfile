# docker build --tag ddb-convert .
#
# Any image with Python 3.11 to 3.14 and glibc does: there are wheels of all that is needed for it.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
WORKDIR /source
COPY constraints.txt pyproject.toml setup.py README.md LICENSE ./
COPY converter converter
# pip stays outside: nothing is to be installed later. The kernels are compiled here, for every CPU of this kind.
RUN python -m venv --without-pip /app \
    && python -m pip --python /app/bin/python --quiet --no-cache-dir --disable-pip-version-check \
        install --constraint constraints.txt .

FROM ${BASE}
LABEL org.opencontainers.image.title="ddb-convert" \
      org.opencontainers.image.description="Turns a finished DynamoDB export into exact CSV or Parquet files." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base image has no compiled files of the standard library, and a read-only container would compile it at each start.
RUN python -m compileall -q -x site-packages "$(python -c 'import os; print(os.path.dirname(os.__file__))')"
COPY --from=build /app /app
# Should compiled code ever crash, the traceback says in which call.
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
WORKDIR /data
# It handles SIGTERM and SIGINT itself, as process 1 has to.
ENTRYPOINT ["ddb-convert"]
