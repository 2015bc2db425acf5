# One image for all four services: `docker run IMAGE alerts.app`, and for the jobs: `operate prepare`.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# pip's own variables: where packages come from. They stay in this stage.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
WORKDIR /build
COPY requirements.server.lock ./
RUN python3 -m venv /opt/handrail \
    && /opt/handrail/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements.server.lock
# What builds the wheel and lists what is in the image is in an environment that is left behind.
COPY requirements.image.lock ./
RUN python3 -m venv /opt/builder \
    && /opt/builder/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements.image.lock
COPY pyproject.toml LICENSE README.md ./
COPY services services
COPY shared shared
COPY deploy/operate deploy/operate
RUN /opt/builder/bin/python -m hatchling build -t wheel -d dist \
    && /opt/handrail/bin/python -m pip install --no-cache-dir --no-deps --no-index dist/*.whl \
    && /opt/handrail/bin/python -m pip uninstall -y pip setuptools \
    && /opt/builder/bin/cyclonedx-py environment /opt/handrail/bin/python --pyproject pyproject.toml \
        --output-reproducible --output-format JSON --output-file handrail.cdx.json \
    # Not needed: sources of compiled parts, FontTools's optional compiled parts, other FHIR versions than R4B.
    && find /opt/handrail -regex '.*\.\(pyc\|pyx\|pxd\|c\|h\)' -delete \
    && find /opt/handrail -path '*/fontTools/*.so' -delete \
    && find /opt/handrail -path '*/fhir/resources/STU3*' -delete \
    && find /opt/handrail -regex '.*/fhir/resources/[a-z]+\.py' -delete \
    && /opt/handrail/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/handrail/lib

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Handrail" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 handrail && useradd --uid 10001 --gid 10001 --no-create-home handrail \
    && mkdir -p /keys/prepare /keys/postgres /keys/intake /keys/attendance /keys/alerts /keys/aftercare \
    && chown -R handrail:handrail /keys
COPY --from=build /build/handrail.cdx.json /usr/share/sbom/handrail.cdx.json
COPY --from=build /opt/handrail /opt/handrail
ENV PATH=/opt/handrail/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 HANDRAIL_HTTP_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "handrail.probe"]
ENTRYPOINT ["python", "-m"]
CMD ["operate", "--help"]
