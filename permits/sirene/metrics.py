"""What is counted of each source. Labels hold a source and a short outcome, never a SIRET."""

from prometheus_client import Counter, Gauge, Histogram

LOOKUPS = Counter("permits_registry_lookups", "Look-ups of a SIRET, by source and by what came out", ["source", "said"])
CALLS = Counter("permits_registry_calls", "HTTP calls, by source and status or failure", ["source", "outcome"])
RETRIES = Counter("permits_registry_retries", "HTTP calls made again after a failure", ["source"])
CALL_SECONDS = Histogram(
    "permits_registry_call_seconds",
    "Time of an HTTP call",
    ["source"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8),
)
RESTING = Gauge("permits_registry_source_is_resting", "1 while a source is left to itself after failures", ["source"])
COMPARISONS = Counter("permits_registry_comparisons", "Look-ups heard from a second source, by outcome", ["outcome"])
REUSED = Counter("permits_registry_answers_reused", "Look-ups answered without asking a source")
WAITING = Gauge("permits_registry_waiting_requests", "Requests that wait on a registry at this moment")
