# One image for every process of the pipeline; the command chooses which.
FROM python:3.11-slim

WORKDIR /app

# The dependencies first, pinned with their hashes: this layer is built again only when the lock changes.
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY runledger ./runledger
COPY schemas ./schemas
COPY contracts ./contracts
COPY producers ./producers
COPY processors ./processors
COPY sinks ./sinks
COPY scoring ./scoring
COPY analytics ./analytics
COPY access ./access
COPY subscribers ./subscribers
COPY integrations ./integrations
COPY watch ./watch
RUN pip install --no-cache-dir --no-deps --no-build-isolation ".[mcp]"

RUN useradd --system --create-home runledger
USER runledger
WORKDIR /home/runledger
ENTRYPOINT ["runledger"]
CMD ["--help"]
