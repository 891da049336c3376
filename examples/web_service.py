"""A web service: POST a JPEG, get an edited JPEG.

    pip install 'edgegan[cpu]' fastapi uvicorn
    EDGEGAN_MODEL=runs/stargan uvicorn --app-dir examples web_service:app
    curl --data-binary @face.jpg 'http://127.0.0.1:8000/edit?Black_Hair=1&Eyeglasses=1' > edited.jpg

Pictures go through two networks side by side; none is stored.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from edgegan.runtime import EditorPool, InputError
from edgegan.runtime.live.web import jpeg

MOST_BYTES, MOST_PIXELS = 10_000_000, 4096 * 4096  # a small file may promise a huge picture


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with EditorPool.open(os.environ.get("EDGEGAN_MODEL"), size=2) as app.state.pool:
        app.state.pool.warm_up()
        yield


app = FastAPI(title="edgegan", lifespan=lifespan)


def edit_jpeg(pool: EditorPool, data: bytes, wanted: dict[str, str]) -> bytes:
    try:
        frame = jpeg.decode(data, most_pixels=MOST_PIXELS)
    except InputError as error:
        raise HTTPException(415, str(error)) from None
    try:
        changes = {name: min(1.0, max(0.0, float(value))) for name, value in wanted.items()}
        return jpeg.encode(pool.edit(frame, changes, out=frame))
    except (InputError, ValueError) as error:  # an attribute that the model does not know, or no number
        raise HTTPException(422, str(error)) from None


@app.post("/edit", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def edit(request: Request) -> Response:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            raise HTTPException(413, f"at most {MOST_BYTES} bytes")
    picture = await run_in_threadpool(edit_jpeg, request.app.state.pool, bytes(data), dict(request.query_params))
    return Response(picture, media_type="image/jpeg")
