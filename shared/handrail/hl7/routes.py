"""HL7 by HTTP."""

from fastapi import APIRouter, Request, Response

from handrail.hl7 import answers
from handrail.hl7.dialect import Hl7

_STATUS = {b"AA": 200, b"AE": 422, b"AR": 400}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {answers.MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


def routes(spoken: Hl7) -> APIRouter:
    """Messages by HTTP."""
    router = APIRouter(prefix="/v1/hl7", tags=["hl7"])

    @router.post("/messages", openapi_extra=_BODY, response_class=Response)
    async def post_message(request: Request) -> Response:
        """Take one message; the answer is its acknowledgement: 200 AA, 422 AE, 400 AR."""
        reply = await spoken.answer(await request.body())
        status = _STATUS[reply.split(b"\r")[1].split(b"|")[1]]
        return Response(reply, status, media_type=answers.MEDIA_TYPE)

    return router
