"""Reporting for programs that call language models through a library: LiteLLM, the OpenAI client.

Each module needs its library (`runledger[litellm]`, `runledger[openai]`); the package itself needs none.
"""
