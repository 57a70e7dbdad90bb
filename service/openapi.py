"""How the OpenAPI page describes the event endpoint, which FastAPI does not route itself."""

from typing import Any

_FAULT = {
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
    "summary": "Take one event",
    "description": (
        "Strava posts every event here and waits two seconds. 200 means that the event is durable; "
        "after any other answer Strava sends it again, up to three times."
    ),
    "operationId": "take_event",
    "parameters": [{"name": "secret", "in": "path", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": _EVENT}}},
    "responses": {
        "200": {"description": "Durable."},
        "400": {"description": "Not one of Strava's events; the detail says why.", **_FAULT},
        "404": {"description": "Not the webhook's path, or the webhook is switched off.", **_FAULT},
        "413": {"description": "Larger than WEBHOOK_MAX_BODY_BYTES.", **_FAULT},
        "503": {"description": "Not durable; send it again.", **_FAULT},
    },
}
