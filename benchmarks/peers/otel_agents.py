"""Agents that report by OpenTelemetry: runs of five LLM calls each, through the SDK's batch processor and OTLP/HTTP.

Arguments: endpoint, number of runs, and headers as name=value. It prints when it began, by the monotonic clock that all
processes share, and how many spans it ended.
"""

import sys
import time

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

CALLS = 5

endpoint, runs, *headers = sys.argv[1:]
exporter = OTLPSpanExporter(
    endpoint=f"{endpoint}/v1/traces",
    headers=dict(header.split("=", 1) for header in headers),
    compression=Compression.Gzip,
    timeout=60,
)
spans = int(runs) * (CALLS + 1)
provider = TracerProvider(resource=Resource.create({"service.name": "bench-agent"}))
provider.add_span_processor(
    BatchSpanProcessor(exporter, max_queue_size=max(512, spans), max_export_batch_size=512, schedule_delay_millis=200)
)
tracer = provider.get_tracer("bench")
print(time.monotonic(), flush=True)
for run in range(int(runs)):
    with tracer.start_as_current_span("answer a question") as root:
        root.set_attributes({"openinference.span.kind": "AGENT", "agent.name": f"agent-{run % 50:02}"})
        root.set_attributes({"input.value": "Which flights leave tomorrow before noon?", "output.value": "Three do."})
        for call in range(CALLS):
            with tracer.start_as_current_span("ChatCompletion") as span:
                span.set_attributes(
                    {
                        "openinference.span.kind": "LLM",
                        "llm.model_name": "gpt-4o-mini",
                        "llm.provider": "openai",
                        "llm.token_count.prompt": 100 + call,
                        "llm.token_count.completion": 20,
                        "llm.token_count.total": 120 + call,
                        "input.value": "Which flights leave tomorrow before noon, and what do they cost?",
                        "output.value": "Three flights leave before noon; the cheapest costs 89 dollars.",
                    }
                )
provider.force_flush()  # a shutdown alone would give up what is left after half a minute
provider.shutdown()
print(spans)
