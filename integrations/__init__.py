"""Reporting for programs that call language models through a library: LiteLLM, the OpenAI client.

Each module needs its library (`pip install "runledger[litellm]"`, `"runledger[openai]"`); the package itself needs none.
"""
