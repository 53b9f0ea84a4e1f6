# The `outcomes` command, without a server, data or secrets: compose.yaml brings the rest.
FROM python:3.13-slim

RUN useradd --uid 10001 --home-dir /var/lib/outcomes outcomes \
    && install --directory --owner outcomes --mode 700 /var/lib/outcomes /var/lib/outcomes-keys

WORKDIR /opt/outcomes
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt --editable '.[reports]' \
    && cp profiles.example.yml profiles.yml

# The commit, which the image has no checkout to ask for.
ARG CODE_VERSION
ENV OUTCOMES_CODE_VERSION=$CODE_VERSION \
    OUTCOMES_WAREHOUSE_DIR=/var/lib/outcomes \
    OUTCOMES_ARCHIVE_KEYS_DIR=/var/lib/outcomes-keys \
    DBT_TARGET_PATH=/var/lib/outcomes/target \
    DBT_LOG_PATH=/var/lib/outcomes/logs

USER 10001
ENTRYPOINT ["outcomes"]
CMD ["--help"]
