"""Errors as they stand in real logs, in kinds: those of one kind share a fingerprint, and no two kinds do."""

from __future__ import annotations

from typing import TypeAlias

Kinds: TypeAlias = dict[str, tuple[str, ...]]

PYTHON: Kinds = {
    "key error in one place": (
        'Traceback (most recent call last):\n  File "/app/worker/tasks.py", line 118, in handle\n    '
        "total = cart['total']\nKeyError: 'total'",
        'Traceback (most recent call last):\n  File "/app/worker/tasks.py", line 131, in handle\n    '
        "total = cart['total']\nKeyError: 'total'",
    ),
    "key error, another key": (
        'Traceback (most recent call last):\n  File "/app/worker/tasks.py", line 118, in handle\n    '
        "total = cart['price']\nKeyError: 'price'",
    ),
    "read timeout of requests": (
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.stripe.com', port=443): Read "
        "timed out. (read timeout=10)",
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.stripe.com', port=443): Read "
        "timed out. (read timeout=30)",
    ),
    "read timeout, another host": (
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='hooks.slack.com', port=443): Read "
        "timed out. (read timeout=10)",
    ),
    "retries exhausted": (
        "HTTPConnectionPool(host='10.4.0.17', port=9200): Max retries exceeded with url: "
        "/orders/_doc/88172 (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at "
        "0x7f4b3c0d5e80>: Failed to establish a new connection: [Errno 111] Connection refused'))",
        "HTTPConnectionPool(host='10.4.3.200', port=9200): Max retries exceeded with url: "
        "/orders/_doc/5 (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at "
        "0x7fe1aa3320d0>: Failed to establish a new connection: [Errno 111] Connection refused'))",
    ),
    "retries exhausted, no route": (
        "HTTPConnectionPool(host='10.4.0.17', port=9200): Max retries exceeded with url: "
        "/orders/_doc/88172 (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at "
        "0x7f4b3c0d5e80>: Failed to establish a new connection: [Errno 113] No route to host'))",
    ),
    "missing file": (
        "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/tmpa8f3k2x1/input.csv'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/tmpq07zv_bd/input.csv'",
    ),
    "missing file, another one": (
        "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/tmpa8f3k2x1/schema.json'",
    ),
    "permission": ("PermissionError: [Errno 13] Permission denied: '/tmp/tmpa8f3k2x1/input.csv'",),
    "json": (
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "json.decoder.JSONDecodeError: Expecting value: line 14 column 9 (char 402)",
    ),
    "json, another fault": ("json.decoder.JSONDecodeError: Extra data: line 1 column 1 (char 0)",),
    "missing module": ("ModuleNotFoundError: No module named 'numpy'",),
    "missing module, another one": ("ModuleNotFoundError: No module named 'pandas'",),
    "task that never ended": (
        "RuntimeError: Task <Task pending name='Task-7' coro=<poll() running at /srv/app/poll.py:31>> "
        "got Future <Future pending> attached to a different loop",
        "RuntimeError: Task <Task pending name='Task-4182' coro=<poll() running at "
        "/srv/app/poll.py:31>> got Future <Future pending> attached to a different loop",
    ),
    "validation": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Order\ncustomer.email\n  "
        "Field required [type=missing, input_value={'id': 48213345}, input_type=dict]",
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Order\ncustomer.email\n  "
        "Field required [type=missing, input_value={'id': 99120001}, input_type=dict]",
    ),
    "validation of another field": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Order\ncustomer.name\n  "
        "Field required [type=missing, input_value={'id': 48213345}, input_type=dict]",
    ),
}

JAVA: Kinds = {
    "null pointer": (
        'Exception in thread "http-nio-8080-exec-7" java.lang.NullPointerException: Cannot invoke '
        '"String.length()" because "name" is null\n\tat com.shop.Checkout.pay(Checkout.java:88)\n\tat '
        "java.base/java.lang.Thread.run(Thread.java:840)",
        'Exception in thread "http-nio-8080-exec-12" java.lang.NullPointerException: Cannot invoke '
        '"String.length()" because "name" is null\n\tat com.shop.Checkout.pay(Checkout.java:91)\n\tat '
        "java.base/java.lang.Thread.run(Thread.java:833)",
    ),
    "null pointer elsewhere": (
        'Exception in thread "http-nio-8080-exec-7" java.lang.NullPointerException: Cannot invoke '
        '"String.length()" because "city" is null\n\tat com.shop.Address.print(Address.java:88)\n\tat '
        "java.base/java.lang.Thread.run(Thread.java:840)",
    ),
    "proxied class": (
        "java.lang.ClassCastException: class com.shop.Order$$SpringCGLIB$$0 cannot be cast to class com.shop.Invoice",
    ),
    "lambda": (
        "java.util.concurrent.TimeoutException\n\tat com.shop.Pool.lambda$take$3(Pool.java:41)\n\tat "
        "com.shop.Pool$$Lambda$314/0x0000000800c8d440.run(Unknown Source)",
        "java.util.concurrent.TimeoutException\n\tat com.shop.Pool.lambda$take$3(Pool.java:41)\n\tat "
        "com.shop.Pool$$Lambda$509/0x00000008010f2a38.run(Unknown Source)",
    ),
    "heap": ("java.lang.OutOfMemoryError: Java heap space",),
    "metaspace": ("java.lang.OutOfMemoryError: Metaspace",),
    "pool exhausted": (
        "HikariPool-1 - Connection is not available, request timed out after 30001ms (total=10, "
        "active=10, idle=0, waiting=3)",
        "HikariPool-2 - Connection is not available, request timed out after 30000ms (total=10, "
        "active=10, idle=0, waiting=27)",
    ),
    "kafka producer": (
        "org.apache.kafka.common.errors.TimeoutException: Expiring 4 record(s) for orders-3:120004 ms "
        "has passed since batch creation",
        "org.apache.kafka.common.errors.TimeoutException: Expiring 117 record(s) for orders-3:120000 ms "
        "has passed since batch creation",
    ),
    "kafka coordinator": (
        "org.apache.kafka.common.errors.TimeoutException: Timeout expired before successfully committing offsets",
    ),
}

NODE: Kinds = {
    "type error": (
        "TypeError: Cannot read properties of undefined (reading 'id')\n    at charge "
        "(/usr/src/app/dist/pay.js:12:33)\n    at process.processTicksAndRejections "
        "(node:internal/process/task_queues:95:5)",
        "TypeError: Cannot read properties of undefined (reading 'id')\n    at charge "
        "(/usr/src/app/dist/pay.js:19:7)\n    at process.processTicksAndRejections "
        "(node:internal/process/task_queues:105:5)",
    ),
    "type error, another property": (
        "TypeError: Cannot read properties of undefined (reading 'email')\n    at charge "
        "(/usr/src/app/dist/pay.js:12:33)\n    at process.processTicksAndRejections "
        "(node:internal/process/task_queues:95:5)",
    ),
    "refused": (
        "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] "
        "(node:net:1555:16)",
        "Error: connect ECONNREFUSED ::1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1607:16)",
    ),
    "reset": ("Error: read ECONNRESET\n    at TLSWrap.onStreamRead (node:internal/stream_base_commons:217:20)",),
    "dns": (
        "Error: getaddrinfo ENOTFOUND db-7f9c4b5d6-x2x9k.internal",
        "Error: getaddrinfo ENOTFOUND db-58bd6c7f9-qq8zt.internal",
    ),
    "dns, another host": ("Error: getaddrinfo ENOTFOUND cache-7f9c4b5d6-x2x9k.internal",),
    "heap": (
        "<--- Last few GCs --->\n[31:0x5c0b2a0]   184202 ms: Mark-sweep 2045.4 (2083.1) -> 2044.9 "
        "(2083.6) MB, 1203.5 / 0.0 ms\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript "
        "heap out of memory",
        "<--- Last few GCs --->\n[1:0x7f2bc40]    99811 ms: Mark-sweep 2046.0 (2082.0) -> 2045.2 "
        "(2082.9) MB, 998.1 / 0.0 ms\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript "
        "heap out of memory",
    ),
    "missing package": (
        "Error: Cannot find module 'express'\nRequire stack:\n- /home/runner/work/44121/app/index.js",
        "Error: Cannot find module 'express'\nRequire stack:\n- /home/runner/work/983/app/index.js",
    ),
}

HTTP: Kinds = {
    "not found": (
        "404 Client Error: Not Found for url: https://api.github.com/repos/acme/shop/pulls/118",
        "404 Client Error: Not Found for url: https://api.github.com/repos/acme/shop/pulls/2041",
    ),
    "gone": ("410 Client Error: Gone for url: https://api.github.com/repos/acme/shop/pulls/118",),
    "not found elsewhere": ("404 Client Error: Not Found for url: https://api.github.com/repos/acme/shop/issues/118",),
    "bad gateway": (
        "502 Bad Gateway (nginx/1.25.3) request_id=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "502 Bad Gateway (nginx/1.25.3) request_id=aa0b1c2d3e4f5061728394a5b6c7d8e9",
    ),
    "unavailable": ("503 Service Unavailable (nginx/1.25.3) request_id=0f1e2d3c4b5a69788796a5b4c3d2e1f0",),
    "traced": (
        "upstream failed: traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "upstream failed: traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    "signed url": (
        "GET "
        "https://files.example.com/report.pdf?X-Amz-Date=20250102T030405Z&X-Amz-Signature=9f86d081884c7d"
        "659a2feaa0 returned 403",
        "GET "
        "https://files.example.com/report.pdf?X-Amz-Date=20251130T235959Z&X-Amz-Signature=60303ae22b9988"
        "61bce3b28f returned 403",
    ),
    "certificate": (
        "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: certificate has expired (_ssl.c:1006)",
        "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: certificate has expired (_ssl.c:1129)",
    ),
    "certificate of its own": (
        "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: self-signed certificate (_ssl.c:1006)",
    ),
}

SQL: Kinds = {
    "duplicate key": (
        'duplicate key value violates unique constraint "orders_pkey"\nDETAIL:  Key (id)=(48213345) already exists.',
        'duplicate key value violates unique constraint "orders_pkey"\nDETAIL:  Key (id)=(7) already exists.',
    ),
    "duplicate key, another table": (
        'duplicate key value violates unique constraint "invoices_pkey"\nDETAIL:  Key (id)=(48213345) already exists.',
    ),
    "duplicate e-mail": (
        'duplicate key value violates unique constraint "users_email_key"\nDETAIL:  Key '
        "(email)=(ann@example.com) already exists.",
        'duplicate key value violates unique constraint "users_email_key"\nDETAIL:  Key '
        "(email)=(bob.s@mail.example.org) already exists.",
    ),
    "deadlock": (
        "deadlock detected\nDETAIL:  Process 4711 waits for ShareLock on transaction 98231; blocked by "
        "process 4712.\nProcess 4712 waits for ShareLock on transaction 98230; blocked by process 4711.",
        "deadlock detected\nDETAIL:  Process 88 waits for ShareLock on transaction 1120034; blocked by "
        "process 91.\nProcess 91 waits for ShareLock on transaction 1120031; blocked by process 88.",
    ),
    "unknown column": ('column "customer_idd" does not exist\nLINE 1: SELECT customer_idd FROM orders WHERE id = 17',),
    "unknown column, another": ('column "totall" does not exist\nLINE 1: SELECT totall FROM orders WHERE id = 17',),
    "statement timeout": ("canceling statement due to statement timeout",),
    "lock timeout": ("canceling statement due to lock timeout",),
    "mysql duplicate": (
        "ERROR 1062 (23000): Duplicate entry '48213' for key 'orders.PRIMARY'",
        "ERROR 1062 (23000): Duplicate entry '7712' for key 'orders.PRIMARY'",
    ),
    "mysql access": (
        "ERROR 1045 (28000): Access denied for user 'app'@'10.2.3.4' (using password: YES)",
        "ERROR 1045 (28000): Access denied for user 'app'@'10.2.200.41' (using password: YES)",
    ),
    "mysql gone": ("ERROR 2006 (HY000): MySQL server has gone away",),
    "oracle": ("ORA-00942: table or view does not exist",),
    "oracle constraint": ("ORA-00001: unique constraint (SHOP.ORDERS_PK) violated",),
    "sqlite": ("sqlite3.OperationalError: database is locked",),
}

MODELS: Kinds = {
    "openai rate limit": (
        "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4.1 in organization "
        "org-Zb8Hk2Lm4Qp7Rt1Vx3Yc5Nw9 on tokens per min (TPM): Limit 30000, Used 29871, Requested 1120. "
        "Please try again in 1.982s.', 'type': 'tokens'}}",
        "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4.1 in organization "
        "org-Pq3Wm9Xs6Dv2Bn8Jf4Gt7Kr1 on tokens per min (TPM): Limit 30000, Used 30000, Requested 845. "
        "Please try again in 845ms.', 'type': 'tokens'}}",
    ),
    "openai rate limit by requests": (
        "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4.1 in organization "
        "org-Zb8Hk2Lm4Qp7Rt1Vx3Yc5Nw9 on requests per min (RPM): Limit 500, Used 500, Requested 1. "
        "Please try again in 120ms.', 'type': 'requests'}}",
    ),
    "openai quota": (
        "Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your "
        "plan and billing details.', 'type': 'insufficient_quota', 'code': 'insufficient_quota'}}",
    ),
    "openai context": (
        "Error code: 400 - This model's maximum context length is 128000 tokens. However, your messages "
        "resulted in 130211 tokens. Please reduce the length of the messages.",
        "Error code: 400 - This model's maximum context length is 128000 tokens. However, your messages "
        "resulted in 2048331 tokens. Please reduce the length of the messages.",
    ),
    "openai key": (
        "Error code: 401 - Incorrect API key provided: sk-proj-****************************************9xQA.",
        "Error code: 401 - Incorrect API key provided: sk-proj-****************************************TTb2.",
    ),
    "openai model": ("Error code: 404 - The model `gpt-5-ultra` does not exist or you do not have access to it.",),
    "openai other model": ("Error code: 404 - The model `gpt-4-mini` does not exist or you do not have access to it.",),
    "anthropic overloaded": (
        "529 "
        '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_01'
        '1CSHoEeqs5C35K2UUqR7Fy"}',
        "529 "
        '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_01'
        '8EeQ23mLd9s7Xa2Vb4TtZk"}',
    ),
    "anthropic prompt": (
        "400 invalid_request_error: prompt is too long: 201345 tokens > 200000 maximum",
        "400 invalid_request_error: prompt is too long: 1200003 tokens > 200000 maximum",
    ),
    "anthropic tool result": (
        "400 invalid_request_error: messages.14: tool_use ids were found without tool_result blocks "
        "immediately after: toolu_01A09q90qw90lq917835lq9",
        "400 invalid_request_error: messages.3: tool_use ids were found without tool_result blocks "
        "immediately after: toolu_01T1x1fJ34qAmk2tNTrN7Up6",
    ),
    "anthropic credit": ("400 invalid_request_error: Your credit balance is too low to access the Anthropic API.",),
    "bedrock": (
        "An error occurred (ThrottlingException) when calling the InvokeModel operation (reached max "
        "retries: 4): Too many requests",
    ),
    "bedrock access": (
        "An error occurred (AccessDeniedException) when calling the InvokeModel operation: You don't "
        "have access to the model",
    ),
    "gemini": (
        "429 RESOURCE_EXHAUSTED. Quota exceeded for quota metric 'Generate Content API requests per "
        "minute' of service 'generativelanguage.googleapis.com' for consumer "
        "'project_number:831204412913'.",
        "429 RESOURCE_EXHAUSTED. Quota exceeded for quota metric 'Generate Content API requests per "
        "minute' of service 'generativelanguage.googleapis.com' for consumer 'project_number:112200119'.",
    ),
    "gemini blocked": ("400 The response was blocked. finish_reason: SAFETY",),
}

OTHERS: Kinds = {
    "go nil": (
        "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: "
        "segmentation violation code=0x1 addr=0x18 pc=0x6a4c1d]\n\ngoroutine 34 [running]:\n"
        "main.(*Server).handle(0xc0001220a0)\n\t/build/srv/main.go:88 +0x1d",
        "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: "
        "segmentation violation code=0x1 addr=0x20 pc=0x71b2f4]\n\ngoroutine 1207 [running]:\n"
        "main.(*Server).handle(0xc00042e000)\n\t/build/srv/main.go:88 +0x1d",
    ),
    "go index": (
        "panic: runtime error: index out of range [5] with length 5\n\ngoroutine 1 [running]:\n"
        "main.pick(...)\n\t/build/srv/main.go:12",
        "panic: runtime error: index out of range [19] with length 12\n\ngoroutine 88 [running]:\n"
        "main.pick(...)\n\t/build/srv/main.go:12",
    ),
    "go deadline": (
        'Get "http://inventory:8080/v1/items/9921": context deadline exceeded (Client.Timeout exceeded '
        "while awaiting headers)",
        'Get "http://inventory:8080/v1/items/17": context deadline exceeded (Client.Timeout exceeded '
        "while awaiting headers)",
    ),
    "rust": (
        "thread 'tokio-runtime-worker-3' panicked at src/main.rs:42:17: called `Option::unwrap()` on a `None` value",
        "thread 'tokio-runtime-worker-11' panicked at src/main.rs:47:9: called `Option::unwrap()` on a `None` value",
    ),
    "exit status": ("command `make test` failed with exit status 2",),
    "killed": ("command `make test` failed with exit status 137",),
    "pod": (
        "Back-off restarting failed container api in pod "
        "api-6d5f9c7b8d-kx2lp_default(0b2f4c1e-9a7d-4e55-8c3b-2f1e0d9c8b7a)",
        "Back-off restarting failed container api in pod "
        "api-7c9b6d5f4f-9wq4z_default(5e4d3c2b-1a09-4f8e-b7d6-c5a493827160)",
    ),
    "disk": (
        "no space left on device: write "
        "/var/lib/docker/overlay2/4f1c0a9d8b7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a/diff/"
        "out",
        "no space left on device: write "
        "/var/lib/docker/overlay2/00aa11bb22cc33dd44ee55ff66aa77bb88cc99dd00ee11ff22aa33bb44cc55dd/diff/"
        "out",
    ),
    "git": (
        "fatal: reference is not a tree: 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "fatal: reference is not a tree: 1a410efbd13591db07496601ebc7a059dd55cfe9",
    ),
    "playwright": (
        "TimeoutError: locator.click: Timeout 30000ms exceeded.\nCall log:\n  - waiting for "
        'getByRole("button", { name: "Pay" })',
        "TimeoutError: locator.click: Timeout 5000ms exceeded.\nCall log:\n  - waiting for "
        'getByRole("button", { name: "Pay" })',
    ),
    "playwright, another button": (
        "TimeoutError: locator.click: Timeout 30000ms exceeded.\nCall log:\n  - waiting for "
        'getByRole("button", { name: "Log in" })',
    ),
}

ALL: Kinds = {
    f"{language}: {kind}": errors
    for language, kinds in {
        "python": PYTHON,
        "java": JAVA,
        "node": NODE,
        "http": HTTP,
        "sql": SQL,
        "models": MODELS,
        "others": OTHERS,
    }.items()
    for kind, errors in kinds.items()
}
