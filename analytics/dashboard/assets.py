"""Style sheet, scripts and icons: read once, named by their content, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from runledger.access.http.errors import HttpError

router = APIRouter()
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    compressed: bytes
    media_type: str
    version: str


@cache
def assets() -> dict[str, Asset]:
    """Read all files, by name."""
    found: dict[str, Asset] = {}
    for file in files("runledger.analytics.dashboard").joinpath("static").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            body = file.read_bytes()
            found[file.name] = Asset(body, gzip.compress(body, mtime=0), kind, hashlib.sha256(body).hexdigest()[:12])
    return found


def asset_url(name: str) -> str:
    """Give the address of a file, as it is now."""
    return f"/static/{name}?v={assets()[name].version}"


@router.get("/static/{name}", include_in_schema=False)
async def get_asset(name: str, request: Request) -> Response:
    """Give a file."""
    asset = assets().get(name)
    if asset is None:
        raise HttpError(404, "not_found", "there is no such file")
    kept = _FOR_EVER if request.query_params.get("v") == asset.version else "no-cache"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    if accepts_gzip(request):
        return Response(asset.compressed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def accepts_gzip(request: Request) -> bool:
    """Tell whether the browser takes gzip; all do, some proxies do not."""
    offered = request.headers.get("accept-encoding", "")
    return any(
        name.strip().lower() == "gzip" and quality.replace(" ", "").lower() not in {"q=0", "q=0.0"}
        for name, _, quality in (one.partition(";") for one in offered.split(","))
    )
