// Header lines as they go over the wire, for raw upstreams and raw clients.

export const EVENT_STREAM = 'Content-Type: text/event-stream';
export const JSON_TYPE = 'Content-Type: application/json';
export const CHUNKED = 'Transfer-Encoding: chunked';
export const CLOSE = 'Connection: close';
