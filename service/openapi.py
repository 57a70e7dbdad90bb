"""The OpenAPI description of the event endpoint, which FastAPI does not route."""

from typing import Any

_ERROR = {
    "content": {
        "application/json": {"schema": {"type": "object", "properties": {"detail": {"type": "string"}}}},
    }
}

_EVENT = {
    "type": "object",
    "required": ["object_type", "aspect_type", "object_id", "owner_id", "subscription_id", "event_time"],
    "properties": {
        "object_type": {"type": "string", "examples": ["activity", "athlete"]},
        "aspect_type": {"type": "string", "examples": ["create", "update", "delete"]},
        "object_id": {"type": "integer", "format": "int64"},
        "owner_id": {"type": "integer", "format": "int64", "description": "The athlete."},
        "subscription_id": {"type": "integer"},
        "event_time": {"type": "integer", "description": "Seconds since 1970 in UTC."},
        "updates": {"type": "object", "description": "What changed: title, type, private or authorized."},
    },
    "additionalProperties": True,
}

EVENT_OPERATION: dict[str, Any] = {
    "tags": ["webhook"],
    "summary": "Receive one event",
    "description": (
        "Strava posts every event here and waits two seconds for the answer. 200 means that the event is stored. "
        "After any other answer Strava sends it again, up to three times."
    ),
    "operationId": "receive_event",
    "parameters": [{"name": "secret", "in": "path", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": _EVENT}}},
    "responses": {
        "200": {"description": "The event is stored."},
        "400": {"description": "The body is not a Strava event; `detail` says why.", **_ERROR},
        "404": {"description": "The path is wrong, or the webhook is switched off.", **_ERROR},
        "413": {"description": "The body is larger than WEBHOOK_MAX_BODY_BYTES.", **_ERROR},
        "503": {"description": "The event is not stored; send it again.", **_ERROR},
    },
}
